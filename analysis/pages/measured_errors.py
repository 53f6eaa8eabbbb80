"""How often verdicts are wrong where the truth is known: the table and the figure of `analysis/statistics.md`.

The numbers are those that `python tests/benchmarks/verdict_errors.py` wrote; that command calls this module too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from analysis.figures.drawing import BLACK, GREY, PALETTE, Drawing, canvas, save, tidy

__all__ = ["END", "START", "as_markdown", "figure", "measured", "with_table", "write"]

START = "<!-- errors: made by `python tests/benchmarks/verdict_errors.py` -->"
END = "<!-- end of errors -->"
TITLES = {
    "difference": "False claims of a difference, % of studies",
    "equivalence": "No difference within a margin of 3 points, and the bound of collapse, %",
    "collapse": "How often two levels of a knob work, over a grid of arms: false claims, % of studies",
    "gate": "The baseline against chance, 10 % collapse: false claims, % of studies",
    "power": "What is found, % of the contrasts in question",
    "looks": "Several looks, % of studies",
    "choosing": "Choosing with and without labels",
    "published": "Published numbers, % of comparisons",
    "interval": "95 % intervals, % that hold what they are about",
    "joint flips": "Seeds flipped jointly for all contrasts (not used), % of studies",
}
Cells = Sequence[Mapping[str, Any]]


def measured() -> Cells:
    """Return the cells that the benchmark wrote, in its order."""
    text = files("analysis").joinpath("benchmarks/verdict_errors.json").read_text(encoding="utf-8")
    cells: Cells = json.loads(text)["cells"]
    return cells


def as_markdown() -> str:
    """Return one table a section: a line a row and claim, a column a size of study (contrasts, seeds)."""
    sections: dict[str, list[Mapping[str, Any]]] = {}
    for cell in measured():
        sections.setdefault(cell["section"], []).append(cell)
    return "\n\n".join(_table(sections[key], title) for key, title in TITLES.items())


def _table(cells: Cells, title: str) -> str:
    rows: dict[tuple[str, str], dict[tuple[int, int], Mapping[str, Any]]] = {}
    for cell in cells:
        rows.setdefault((cell["row"], cell["claim"]), {})[_size(cell)] = cell
    sizes = sorted(set(map(_size, cells)))
    heads = " | ".join(f"m {m}, n {n}" for m, n in sizes)
    lines = [f"**{title}**", "", f"| | claim | {heads} | bound |", "|---" * (3 + len(sizes)) + "|"]
    for (row, claim), own in rows.items():
        shown = " | ".join(map(_number, map(own.get, sizes)))
        lines.append(f"| {row} | {claim} | {shown} | {_bounds(list(own.values()))} |")
    return "\n".join(lines)


def _size(cell: Mapping[str, Any]) -> tuple[int, int]:
    return int(cell["contrasts"]), int(cell["seeds"])


def _number(cell: Mapping[str, Any] | None) -> str:
    if cell is None:
        return ""
    value = float(cell["measured"])
    return f"{value:.1f}" if abs(value) >= 0.1 or not value else f"{value:.2f}"


def _bounds(cells: Cells) -> str:
    """Return the bound of a line, or of each of its columns where they differ."""
    shown: dict[str, None] = {}
    for cell in cells:
        shown["–" if cell["bound"] is None else f"{cell['bound']:g}"] = None
    if list(shown) == ["–"]:
        return "printed"
    return f"{'≤' if cells[0]['at_most'] else '≥'} {' / '.join(shown)}"


def with_table(page: str) -> str:
    """Return a page with the tables between its marks renewed."""
    before, rest = page.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n\n{as_markdown()}\n\n{END}{after}"


EDGE = 32.0
"""Where the axis of the figure ends, in percent."""


def figure() -> Drawing:
    """Draw every false claim of a difference, row by row, beside its bound; hollow where nothing is promised."""
    cells = [one for one in measured() if one["section"] == "difference"]
    rows = list(dict.fromkeys(one["row"] for one in cells))
    claims = list(dict.fromkeys(one["claim"] for one in cells if one["claim"] != "any difference"))
    drawn, [[axes]] = canvas(1, 1, (8.4, 1.0 + 0.42 * len(rows)))
    for colour, (place, claim) in zip(PALETTE, enumerate(claims), strict=False):
        for one in cells:
            if one["claim"] != claim:
                continue
            y = rows.index(one["row"]) + 0.18 * (place - 0.5 * (len(claims) - 1))
            face = "white" if one["bound"] is None else colour
            label = claim if one["bound"] is not None else ""
            mark = "o" if one["measured"] <= EDGE else ">"
            x = min(one["measured"], EDGE)
            axes.plot([x], [y], mark, colour=colour, face=face, size=4, label=label, clipped=False)
    axes.rule(6.0, colour=BLACK, width=0.9)
    axes.rule(5.0, colour=GREY, width=0.9, dash=":")
    axes.y.name(range(len(rows)), rows)
    axes.y.ends = (len(rows) - 0.4, -0.6)
    axes.x.ends = (-0.5, EDGE)
    axes.x_label = "% of studies with a false claim (▸ beyond); hollow: read as the mean, which is not claimed"
    tidy(axes, "x")
    axes.legend = "right"
    caption = "One mark a size of study. Solid line: bound of 6 %; dotted: 5 %. A triangle at the edge lies beyond it."
    return Drawing("verdict_errors", "How often a difference is claimed that is not there", caption, drawn)


def write(statistics: Path, gallery: Path) -> None:
    """Renew the tables of a page, and draw the figure into a folder."""
    statistics.write_text(with_table(statistics.read_text(encoding="utf-8")), encoding="utf-8")
    (drawn,) = save([figure()], gallery, png=True)
    drawn.unlink()  # the page shows dots
