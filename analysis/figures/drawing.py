"""The look of all figures: palette, sizes, axes, saving as SVG (what is drawn is in the files beside)."""

from __future__ import annotations

import base64
import io
import re
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter

from analysis.figures.text_sizes import remember

__all__ = [
    "BLACK",
    "GREY",
    "PALETTE",
    "Drawing",
    "as_data_uri",
    "canvas",
    "fitted",
    "key_of",
    "row_height",
    "save",
    "tidy",
    "warm",
]

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F5A3C")
"""Okabe and Ito's colours (told apart with every common colour blindness), black and yellow left out."""
OWN_FORMULA = r"$\mathdefault"
"""How Matplotlib writes the numbers beside a logarithmic axis."""

PLAIN = " !$()*+,-./:;<=>?@[]^_`{|}~"
"""What stands for itself in a data URI between double quotes."""

BLACK = "#1a1a1a"
GREY = "#8c8c8c"
STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "svg.hashsalt": "analysis",  # the same figure is the same file
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@dataclass(frozen=True)
class Drawing:
    """A finished figure: `key` names its files, `caption` says what the marks and intervals are."""

    key: str
    title: str
    caption: str
    figure: Figure


def canvas(rows: int, columns: int, size: tuple[float, float], **options: object) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure of `size` inches with rows x columns axes; outside pyplot, so that nothing global is kept."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, **options)  # type: ignore[call-overload]
    return figure, [list(line) for line in axes]


def warm() -> None:
    """Draw what nobody sees: the first text of a process looks for fonts, and the first file for its writer."""
    figure, [[axes]] = canvas(1, 1, (2.0, 2.0))
    axes.plot([1.0, 10.0], [1.0, 100.0], marker="o", label="warm")
    axes.set_xscale("log")
    axes.set_title("warm")
    axes.legend()
    with mpl.rc_context(STYLE):
        _lay_out(figure)
        figure.savefig(io.BytesIO(), format="svg")


def fitted(names: Sequence[str], letters: int = 34, lines: int = 2) -> list[str]:
    """Return names that leave the axes their room: broken into lines, the middle left out of longer ones.

    Different names stay different: where the middle is all that tells them apart, more lines are taken.

    Args:
        names: of arms, contrasts or levels; a line of a name that has several is broken by itself.
        letters: a line.
        lines: so many at most, where that tells the names apart.
    """
    found = [_broken(name, letters, lines) for name in names]
    longest = max((len(name) for name in names), default=0)
    if len(set(found)) < len(set(names)) and letters * lines < longest:
        return fitted(names, letters, lines + 1)
    return found


def row_height(names: Sequence[str]) -> float:
    """Return how many times as high as otherwise rows with these names are: two lines have room beside a row."""
    return max([1.0, *(0.5 * (1 + name.count("\n")) for name in names)])


def _broken(name: str, letters: int, lines: int) -> str:
    found, room = [], letters * lines
    for line in name.split("\n"):
        cut = line if len(line) <= room else f"{line[: room - room // 2 - 1]}…{line[-(room // 2) :]}"
        found += [cut[start : start + letters] for start in range(0, len(cut), letters)] or [""]
    return "\n".join(found)


def key_of(name: str) -> str:
    """Return a name as part of a file's name: what is no letter or digit becomes a low line."""
    return re.sub(r"\W", "_", name)


def tidy(axes: Axes, grid: str = "both") -> None:
    """Give an axes its light grid, behind the marks."""
    axes.grid(visible=True, axis=grid, color="#e6e6e6", linewidth=0.7)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def save(drawings: Sequence[Drawing], folder: Path, *, png: bool = False) -> list[Path]:
    """Write every drawing as SVG into `folder`, and as PNG too if asked for; return the SVG paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with mpl.rc_context(STYLE):
        for drawing in drawings:
            path = folder / f"{drawing.key}.svg"
            _lay_out(drawing.figure)
            if png:
                drawing.figure.savefig(path.with_suffix(".png"), dpi=150, metadata={"Software": None})
            drawing.figure.savefig(path, metadata={"Date": None})
            paths.append(path)
    return paths


def _lay_out(figure: Figure) -> None:
    """Lay a figure out once and for all: every later draw would do it again, and draw twice for it."""
    remember()
    _show_dollars(figure)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine(None)


def _show_dollars(figure: Figure) -> None:
    """Have every `$` in a text shown as one: names of arms may hold two, and what is between them is no formula."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_formatter(), FixedFormatter):
                for tick in axis.get_major_ticks():
                    tick.label1.set_parse_math(False)
                    tick.label2.set_parse_math(False)
    for text in figure.findobj(Text):
        if "$" in text.get_text() and not text.get_text().startswith(OWN_FORMULA):
            text.set_parse_math(False)


def as_data_uri(path: Path) -> str:
    """Return an image file as a data URI, for a page that needs no other file: safe within double quotes.

    An SVG is written shorter, without comments and with coordinates to a hundredth of a point.
    """
    if path.suffix != ".svg":
        return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
    return f"data:image/svg+xml,{_quoted(_shorter(path.read_text(encoding='utf-8')))}"


def _quoted(text: str) -> str:
    """Return what `urllib.parse.quote` does, which looks at every letter, in a tenth of the time."""
    return text.translate(_quotes()) if text.isascii() else urllib.parse.quote(text, safe=PLAIN)


@cache
def _quotes() -> dict[int, str]:
    """Return what stands for each letter of ASCII that does not stand for itself."""
    found = {}
    for letter in range(128):
        quoted = urllib.parse.quote(chr(letter), safe=PLAIN)
        if quoted != chr(letter):
            found[letter] = quoted
    return found


def _shorter(svg: str) -> str:
    """Return the same drawing in fewer letters."""
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<!DOCTYPE.*?>|<\?xml.*?\?>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(?<!scale\()(?<=[ "(MLCQ\n])-?\d+\.\d{3,}(?=[ ,")\n])', lambda met: f"{float(met[0]):.2f}", svg)
    return " ".join(svg.split()).replace("> <", "><")


def as_png(drawing: Drawing) -> bytes:
    """Return a drawing as PNG bytes, for notebooks."""
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        _lay_out(drawing.figure)
        drawing.figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
