"""The look of all figures: palette, sizes, axes, saving as SVG (what is drawn is in the files beside)."""

from __future__ import annotations

import base64
import re
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from analysis.svg.figure import BLACK, Figure, Panel
from analysis.svg.writer import svg_of

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
]

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F5A3C")
"""Okabe and Ito's colours (told apart with every common colour blindness), black and yellow left out."""
PLAIN = " !$()*+,-./:;<=>?@[]^_`{|}~"
"""What stands for itself in a data URI between double quotes."""

GREY = "#8c8c8c"


@dataclass(frozen=True)
class Drawing:
    """A finished figure: `key` names its files, `caption` says what the marks and intervals are."""

    key: str
    title: str
    caption: str
    figure: Figure


def canvas(
    rows: int, columns: int, size: tuple[float, float], *, share_x: bool = False, share_y: bool = False
) -> tuple[Figure, list[list[Panel]]]:
    """Return a figure of `size` inches with rows x columns panels, which may share their axes."""
    figure = Figure(rows, columns, size, share_x=share_x, share_y=share_y)
    return figure, figure.grid


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


def tidy(panel: Panel, grid: str = "both") -> None:
    """Give a panel its light grid, behind the marks: along `x`, `y` or `both`."""
    panel.x.grid, panel.y.grid = grid in ("x", "both"), grid in ("y", "both")


def save(drawings: Sequence[Drawing], folder: Path, *, png: bool = False) -> list[Path]:
    """Write every drawing as SVG into `folder`, and as PNG too if asked for; return the SVG paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for drawing in drawings:
        path = folder / f"{drawing.key}.svg"
        path.write_text(svg_of(drawing.figure), encoding="utf-8")
        if png:
            from analysis.figures.matplotlib_figures import as_png

            path.with_suffix(".png").write_bytes(as_png(drawing.figure, dpi=150))
        paths.append(path)
    return paths


def as_data_uri(path: Path) -> str:
    """Return an image file as a data URI, for a page that needs no other file: safe within double quotes."""
    if path.suffix != ".svg":
        return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
    return f"data:image/svg+xml,{_quoted(path.read_text(encoding='utf-8').strip())}"


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
