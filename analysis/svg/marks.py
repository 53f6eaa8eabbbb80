"""What a panel holds: lines with markers, bands, rules, words and maps, in the units of its axes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fill", "Floats", "Heat", "Line", "Mark", "Note", "Rule", "Segments", "Span"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Line:
    """Points that are joined, marked, or both."""

    x: Floats
    y: Floats
    colour: str
    width: float = 1.5
    """Of the line, in points."""
    dash: str = ""
    """`-`, `--` or `:`; empty: the points are not joined."""
    marker: str = ""
    """`.`, `o`, `s`, `D`, `x`, `|`, `*` or `>`; empty: none."""
    size: float = 6.0
    """Of the marker, in points."""
    face: str = ""
    """What fills the marker; empty: its colour."""
    alpha: float = 1.0
    label: str = ""
    """In the legend; empty: it is not in there."""
    order: float = 2.0
    """Marks of a higher one lie above."""
    steps: bool = False
    """Each value holds until the next one, instead of a straight line."""
    butt: bool = False
    """The line ends at its points, instead of half its width later."""
    clipped: bool = True
    """What lies outside the axes is not seen."""


@dataclass(frozen=True, kw_only=True)
class Segments:
    """Straight lines that belong to nothing else; they move no limit of an axis."""

    ends: Floats
    """(lines, 2, 2): line, end, coordinate."""
    colour: str
    width: float
    alpha: float = 1.0
    order: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Fill:
    """The area between two curves."""

    x: Floats
    low: Floats
    high: Floats
    colour: str
    alpha: float
    order: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Span:
    """A band over the whole height between two values of x."""

    low: float
    high: float
    colour: str
    alpha: float
    label: str = ""
    order: float = 0.9


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A line over the whole height at a value of x."""

    x: float
    colour: str
    width: float
    dash: str = "-"
    order: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Note:
    """Words in a panel or beside it; several lines are centred among themselves."""

    text: str
    x: float
    y: float
    size: float = 9.0
    colour: str = "#000000"
    anchor: str = "start"
    """Where x lies in the words: `start`, `middle` or `end`."""
    baseline: str = "bottom"
    """Where y lies: at their `bottom`, or in the `middle`."""
    shift: tuple[float, float] = (0.0, 0.0)
    """To the right and up, in points."""
    across: bool = False
    """x is a share of the panel's width."""
    order: float = 3.0


@dataclass(frozen=True, kw_only=True)
class Heat:
    """Cells that are coloured by their values, each around whole numbers of x and y, with a bar of colours beside."""

    values: Floats
    """(rows, columns); nan: an empty cell."""
    label: str
    order: float = 0.0
    ends: tuple[float, float] = field(init=False, default=(math.nan, math.nan))
    """The values at both ends of the bar; nan: no cell has one."""

    def __post_init__(self) -> None:
        if np.isfinite(self.values).any():
            object.__setattr__(self, "ends", (float(np.nanmin(self.values)), float(np.nanmax(self.values))))


Mark = Line | Segments | Fill | Span | Rule | Note | Heat
