"""A figure as data: panels in rows and columns, each with axes and marks. Nothing is drawn here.

`analysis.svg.writer` writes a figure as SVG; `analysis.figures.matplotlib_figures` makes one of Matplotlib of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.svg.marks import Fill, Floats, Heat, Line, Mark, Note, Rule, Segments, Span

__all__ = ["BLACK", "Axis", "Figure", "Panel"]

BLACK = "#1a1a1a"
MARKERS = ".osDx|*>"


@dataclass(eq=False)
class Axis:
    """A direction of one panel, or of several that share it."""

    scale: str = "linear"
    """`linear`, `log` or `symlog`: logarithmic away from zero, linear within `threshold` of it."""
    threshold: float = 1.0
    ends: tuple[float, float] | None = None
    """What the axis begins and ends with, in this order; None: it holds all marks, with some room."""
    ticks: tuple[tuple[float, str], ...] | None = None
    """Places and what stands there; None: round numbers."""
    small_ticks: bool = True
    """A logarithmic axis has short ticks between its numbers."""
    grid: bool = False
    shown: bool = True
    """Its line and its ticks are drawn."""
    inverted: bool = False
    """The first of `ends` is the larger one: for marks that give the limits."""

    def name(self, places: ArrayLike, names: Sequence[str]) -> None:
        """Have names at places."""
        self.ticks = tuple(zip(np.asarray(places, np.float64).tolist(), names, strict=True))

    def be_logarithmic(self, threshold: float = 0.0) -> None:
        """Have powers of ten in equal steps; with a threshold, zero and what is within it of zero has a place too."""
        self.scale = "symlog" if threshold else "log"
        self.threshold = threshold


@dataclass(eq=False)
class Panel:
    """Axes with what is drawn in them."""

    row: int
    column: int
    x: Axis
    y: Axis
    title: str = ""
    title_size: float = 10.0
    x_label: str = ""
    y_label: str = ""
    marks: list[Mark] = field(default_factory=list)
    legend: str = ""
    """Where it stands: `free`: where it hides least, `right`: the upper right corner; empty: there is none."""
    legend_size: float = 8.0
    visible: bool = True
    equal: bool = False
    """One unit is as long on both axes."""

    def plot(self, x: ArrayLike, y: ArrayLike, look: str = "-", **style: Any) -> None:
        """Draw points.

        Args:
            x: of the points.
            y: of the points.
            look: a marker, a line (`-`, `--`, `:`) or both, such as "|-".
            style: other fields of `Line`.
        """
        marker = look[:1] if look[:1] in MARKERS else ""
        across, up = np.asarray(x, np.float64).ravel(), np.asarray(y, np.float64).ravel()
        self.marks.append(Line(x=across, y=up, marker=marker, dash=look.removeprefix(marker), **style))

    def segments(self, ends: ArrayLike, colour: str, width: float, alpha: float = 1.0) -> None:
        """Draw straight lines, (lines, 2, 2): line, end, coordinate."""
        self.marks.append(
            Segments(ends=np.asarray(ends, np.float64).reshape(-1, 2, 2), colour=colour, width=width, alpha=alpha)
        )

    def fill(self, x: ArrayLike, low: ArrayLike, high: ArrayLike, colour: str, alpha: float) -> None:
        """Fill the area between two curves."""
        rows = np.array([x, low, high], dtype=np.float64)
        self.marks.append(Fill(x=rows[0], low=rows[1], high=rows[2], colour=colour, alpha=alpha))

    def span(self, low: float, high: float, colour: str, alpha: float, label: str = "") -> None:
        """Draw a band between two values of x."""
        self.marks.append(Span(low=low, high=high, colour=colour, alpha=alpha, label=label))

    def rule(self, x: float, colour: str = BLACK, width: float = 0.9, dash: str = "-") -> None:
        """Draw a line at a value of x."""
        self.marks.append(Rule(x=x, colour=colour, width=width, dash=dash))

    def write(self, text: str, x: float, y: float, **style: Any) -> None:
        """Write words at a place; `style`: other fields of `Note`."""
        self.marks.append(Note(text=text, x=x, y=y, **style))

    def heat(self, values: Floats, label: str) -> None:
        """Colour cells by their values (rows, columns); the first row is the uppermost."""
        self.marks.append(Heat(values=values, label=label))
        self.y.inverted = True

    def labelled(self) -> dict[str, Line | Span]:
        """Return what the legend says and the first mark that it says of each."""
        found: dict[str, Line | Span] = {}
        for mark in self.marks:
            if isinstance(mark, Line | Span) and mark.label:
                found.setdefault(mark.label, mark)
        return found

    def notes(self) -> list[Note]:
        """Return all words in it, in the order in which they were written."""
        return [mark for mark in self.marks if isinstance(mark, Note)]


class Figure:
    """Panels in rows and columns.

    Args:
        rows: of panels.
        columns: of panels.
        size: width and height in inches.
        share_x: all panels have the same axis across; its numbers stand at the lowest ones.
        share_y: all panels have the same axis up; its numbers stand at the leftmost ones.
    """

    def __init__(
        self, rows: int, columns: int, size: tuple[float, float], *, share_x: bool = False, share_y: bool = False
    ) -> None:
        self.size = size
        self.share_x, self.share_y = share_x, share_y
        self.legend: dict[str, Line | Span] = {}
        """Above all panels; empty: there is none."""
        x, y = Axis(), Axis()
        self.grid: list[list[Panel]] = [[] for _ in range(rows)]
        for row, column in product(range(rows), range(columns)):
            own = Panel(row, column, x if share_x else Axis(), y if share_y else Axis())
            self.grid[row].append(own)

    @property
    def panels(self) -> list[Panel]:
        """All panels that are seen, row by row."""
        return list(filter(lambda panel: panel.visible, chain.from_iterable(self.grid)))

    def numbered_below(self, panel: Panel) -> bool:
        """Return whether the numbers of x stand at a panel: no other one below it has the same axis."""
        below = (line[panel.column] for line in self.grid[panel.row + 1 :])
        return not (self.share_x and any(one.visible for one in below))

    def numbered_left(self, panel: Panel) -> bool:
        """Return whether the numbers of y stand at a panel."""
        return panel.column == 0 or not self.share_y

    def with_axis(self, axis: Axis) -> Iterator[Panel]:
        """Yield the panels that have an axis."""
        for panel in self.panels:
            if axis is panel.x or axis is panel.y:
                yield panel
