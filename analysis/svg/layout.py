"""Where panels lie in a figure: all of one size, with room for numbers, names and words beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from analysis.svg.figure import Axis, Figure, Panel
from analysis.svg.legends import height_above
from analysis.svg.marks import Fill, Floats, Heat, Line, Note
from analysis.svg.scales import Scale, Tick, scale_of, ticks_of
from analysis.svg.texts import LINE, height_of, width_of

__all__ = ["BAR", "BAR_HEIGHT", "INCH", "PAD", "SIZE", "TICK", "Placed", "placed", "samples_of", "ticks_of_bar"]

INCH = 72.0
SIZE = 9.0
"""Of numbers and labels, in points."""
TICK = 3.5
PAD = 3.0
"""Around the figure, and between what stands beside one another."""
GAP = 8.0
"""Between two panels."""
BAR = 12.0
"""Width of a bar of colours, and its distance from its panel."""
BAR_HEIGHT = 0.9
"""Of its panel."""
PASSES = 4
"""Words move as panels shrink to make room for them."""


@dataclass
class Placed:
    """A panel in its place; lengths are in points, from the upper left corner of the figure."""

    panel: Panel
    x: Scale
    y: Scale
    left: float = 0.0
    top: float = 0.0
    width: float = 200.0
    height: float = 150.0
    below: bool = True
    """The numbers of x stand here."""
    beside: bool = True
    """The numbers of y stand here."""
    _known: dict[tuple[str, float], tuple[list[Tick], list[float]]] = field(default_factory=dict, repr=False)
    """Axis and its length -> ticks: they are asked for again and again while a panel finds its place."""

    def at(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Return the places of points in the figure."""
        return self.left + self.width * self.x.share(x), self.top + self.height * (1 - self.y.share(y))

    def x_ticks(self) -> tuple[list[Tick], list[float]]:
        """Return the numbers of x, and the short ticks between."""
        key = ("x", self.width)
        if key not in self._known:
            self._known[key] = ticks_of(self.panel.x, self.x, self.width, SIZE, across=True)
        return self._known[key]

    def y_ticks(self) -> tuple[list[Tick], list[float]]:
        """Return the numbers of y, and the short ticks between."""
        key = ("y", self.height)
        if key not in self._known:
            self._known[key] = ticks_of(self.panel.y, self.y, self.height, SIZE, across=False)
        return self._known[key]

    def room_below(self) -> float:
        """Return what ticks and numbers of x take below the axes."""
        heights = [height_of(text, SIZE) for _, text in self.x_ticks()[0] if text]
        return TICK + PAD + max(heights) if heights and self.below and self.panel.x.shown else PAD

    def room_beside(self) -> float:
        """Return what ticks and numbers of y take beside the axes."""
        return _widest(self.y_ticks()[0]) if self.beside and self.panel.y.shown else PAD

    def note_at(self, note: Note) -> tuple[float, float, float]:
        """Return where words begin on the left, their width, and the middle of their height."""
        x, y = self.at([0.0 if note.across else note.x], [note.y])
        start = self.left + note.x * self.width if note.across else float(x[0])
        width, height = width_of(note.text, note.size), height_of(note.text, note.size)
        start += note.shift[0] - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[note.anchor]
        middle = float(y[0]) - note.shift[1] - (0.5 * height if note.baseline == "bottom" else 0.0)
        return start, width, middle

    def heat(self) -> Heat | None:
        """Return its map, if it is one."""
        return next((mark for mark in self.panel.marks if isinstance(mark, Heat)), None)


@dataclass(frozen=True)
class _Needs:
    """Room around the axes of a panel, in points."""

    left: float
    top: float
    right: float
    bottom: float


def placed(figure: Figure) -> list[Placed]:
    """Return all panels that are seen, in their places."""
    found = []
    for panel in figure.panels:
        x, y = scale_of(figure, panel.x), scale_of(figure, panel.y)
        below, beside = figure.numbered_below(panel), figure.numbered_left(panel)
        found.append(Placed(panel, x, y, below=below, beside=beside))
    for _ in range(PASSES):
        _place(figure, found)
    for one in found:
        if one.panel.equal:
            _make_equal(one)
    return found


def _place(figure: Figure, panels: Sequence[Placed]) -> None:
    """Give every panel its place, with the room that is needed where it stands now."""
    needs = list(map(_needs, panels))
    n_rows, n_columns = len(figure.grid), len(figure.grid[0])
    left, right = _most(panels, needs, "left", n_columns), _most(panels, needs, "right", n_columns)
    top, bottom = _most(panels, needs, "top", n_rows), _most(panels, needs, "bottom", n_rows)
    wide, high = figure.size[0] * INCH - 2 * PAD, figure.size[1] * INCH - 2 * PAD
    above = height_above(figure.legend, wide)
    width = max(10.0, (wide - sum(left) - sum(right) - GAP * (n_columns - 1)) / n_columns)
    height = max(10.0, (high - above - sum(top) - sum(bottom) - GAP * (n_rows - 1)) / n_rows)
    for one in panels:
        row, column = one.panel.row, one.panel.column
        one.width, one.height = width, height
        one.left = PAD + sum(left[: column + 1]) + sum(right[:column]) + column * (width + GAP)
        one.top = PAD + above + sum(top[: row + 1]) + sum(bottom[:row]) + row * (height + GAP)


def _most(panels: Sequence[Placed], needs: Sequence[_Needs], side: str, n: int) -> list[float]:
    """Return the most room that a panel of each row, or of each column, needs at a side."""
    found = [0.0] * n
    for one, need in zip(panels, needs, strict=True):
        place = one.panel.column if side in ("left", "right") else one.panel.row
        found[place] = max(found[place], getattr(need, side))
    return found


def _needs(one: Placed) -> _Needs:
    """Return what stands around the axes of a panel."""
    panel, label = one.panel, LINE * SIZE + PAD
    left = (label if panel.y_label else 0.0) + one.room_beside()
    bottom = (label if panel.x_label else 0.0) + one.room_below()
    top = height_of(panel.title, panel.title_size) + 5.0
    right = PAD
    if one.below and panel.x.shown:
        half_right, half_left = _beyond(one, one.x_ticks()[0])
        left, right = max(left, half_left), max(right, half_right)
    heat = one.heat()
    if heat is not None:
        right = max(right, 2 * BAR + _widest(ticks_of_bar(heat, one.height)) + label)
    for note in panel.notes():
        start, width, middle = one.note_at(note)
        half = 0.5 * height_of(note.text, note.size)
        left, right = max(left, one.left - start), max(right, start + width + PAD - one.left - one.width)
        top = max(top, one.top - middle + half)
        bottom = max(bottom, middle + half - one.top - one.height)
    return _Needs(left, top, right, bottom)


def ticks_of_bar(heat: Heat, height: float) -> list[Tick]:
    """Return the numbers beside a bar of colours, for a panel of this height."""
    low, high = heat.ends
    if not high > low:
        return [] if math.isnan(low) else [(low, f"{low:g}")]
    return ticks_of(Axis(), Scale("linear", low, high), BAR_HEIGHT * height, SIZE, across=False)[0]


def _widest(ticks: Sequence[Tick]) -> float:
    return TICK + PAD + max((width_of(text, SIZE) for _, text in ticks), default=-TICK)


def _beyond(one: Placed, ticks: Sequence[Tick]) -> tuple[float, float]:
    """Return how far the numbers of x reach beyond the axes, to the right and to the left."""
    right = left = 0.0
    for place, text in ticks:
        middle, half = one.width * float(one.x.share(place)), 0.5 * width_of(text, SIZE)
        right, left = max(right, middle + half - one.width), max(left, half - middle)
    return right, left


def _make_equal(one: Placed) -> None:
    """Make the axes smaller in one direction, so that one unit is as long on both."""
    across, up = abs(one.x.last - one.x.first), abs(one.y.last - one.y.first)
    unit = min(one.width / across, one.height / up)
    one.left, one.top = one.left + 0.5 * (one.width - unit * across), one.top + 0.5 * (one.height - unit * up)
    one.width, one.height = unit * across, unit * up


def samples_of(one: Placed) -> Floats:
    """Return places (n, 2) along the lines and areas of a panel, which a legend had better not hide."""
    found = [np.empty((0, 2))]
    for mark in one.panel.marks:
        curves: list[tuple[Floats, Floats]] = []
        if isinstance(mark, Line):
            curves = [(mark.x, mark.y)]
        elif isinstance(mark, Fill):
            curves = [(mark.x, mark.low), (mark.x, mark.high)]
        for x, y in curves:
            points = np.column_stack(one.at(x, y))
            found.append(points)
            for share in (0.25, 0.5, 0.75):
                found.append(share * points[1:] + (1 - share) * points[:-1])
    return np.concatenate(found)
