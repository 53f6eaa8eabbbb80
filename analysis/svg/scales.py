"""Where values lie on an axis, and the round numbers beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.svg.figure import Axis, Figure, Panel
from analysis.svg.marks import Fill, Floats, Heat, Line, Rule, Span
from analysis.svg.texts import width_of

__all__ = ["Scale", "Tick", "scale_of", "ticks_of"]

ROOM = 0.05
"""Of the axis, free at both ends."""
STEPS = (1.0, 2.0, 5.0)
MOST_NUMBERS = 9
APART = 8.0
"""Points between two numbers beside an axis, at least."""
SYMLOG = 10 / 9
"""How much the linear part of an axis takes, in powers of ten."""

Tick = tuple[float, str]


@dataclass(frozen=True)
class Scale:
    """From values to shares of an axis."""

    kind: str
    first: float
    last: float
    threshold: float = 1.0

    def share(self, values: ArrayLike) -> Floats:
        """Return where values lie: 0 at the beginning of the axis, 1 at its end; nan where a logarithm has no value."""
        first, last = _moved([self.first, self.last], self.kind, self.threshold)
        return np.asarray((_moved(values, self.kind, self.threshold) - first) / (last - first))

    def holds(self, value: float) -> bool:
        """Return whether a value is on the axis."""
        return bool(-1e-9 <= float(self.share(value)) <= 1 + 1e-9)


def _moved(values: ArrayLike, kind: str, threshold: float) -> Floats:
    given = np.asarray(values, dtype=np.float64)
    if kind == "linear":
        return given
    if kind == "log":
        return np.log10(np.where(given > 0, given, np.nan))
    size = np.maximum(np.abs(given) / threshold, 1e-300)
    return np.where(size <= 1, SYMLOG * given / threshold, np.sign(given) * (SYMLOG + np.log10(size)))


def _back(values: Floats, kind: str, threshold: float) -> Floats:
    if kind == "linear":
        return values
    if kind == "log":
        return np.asarray(10.0**values)
    away = np.sign(values) * threshold * 10.0 ** np.maximum(np.abs(values) - SYMLOG, 0.0)
    return np.where(np.abs(values) <= SYMLOG, values * threshold / SYMLOG, away)


def scale_of(figure: Figure, axis: Axis) -> Scale:
    """Return the scale of an axis: with the ends that it has, or with room for all marks of its panels."""
    if axis.ends is not None:
        return Scale(axis.scale, *axis.ends, axis.threshold)
    held: list[Floats] = []
    for panel in figure.with_axis(axis):
        held += _reached(panel, across=panel.x is axis)
    moved = _moved(np.concatenate([np.empty(0), *held]), axis.scale, axis.threshold)
    moved = moved[np.isfinite(moved)]
    low, high = (float(moved.min()), float(moved.max())) if len(moved) else (0.0, 1.0)
    room = 0.0 if _is_map(figure, axis) else ROOM
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        wide = 0.05 * abs(low) or 0.05
        low, high = low - wide, high + wide
    reach = room * (high - low)
    first, last = _back(np.array([low - reach, high + reach]), axis.scale, axis.threshold)
    return Scale(axis.scale, *((last, first) if axis.inverted else (first, last)), axis.threshold)


def _is_map(figure: Figure, axis: Axis) -> bool:
    return any(isinstance(mark, Heat) for panel in figure.with_axis(axis) for mark in panel.marks)


def _reached(panel: Panel, *, across: bool) -> list[Floats]:
    """Return the values along one direction that the marks of a panel reach."""
    found: list[Floats] = []
    for mark in panel.marks:
        if isinstance(mark, Line):
            found.append(mark.x if across else mark.y)
        elif isinstance(mark, Fill):
            found += [mark.x] if across else [mark.low, mark.high]
        elif isinstance(mark, Heat):
            found.append(np.array([-0.5, mark.values.shape[1 if across else 0] - 0.5]))
        elif isinstance(mark, Span | Rule) and across:
            found.append(np.array([mark.low, mark.high] if isinstance(mark, Span) else [mark.x]))
    return found


def ticks_of(axis: Axis, scale: Scale, length: float, size: float, *, across: bool) -> tuple[list[Tick], list[float]]:
    """Return the numbers beside an axis, and the places of the short ticks between them.

    Args:
        axis: the axis.
        scale: its scale.
        length: in points.
        size: of the numbers, in points.
        across: the numbers stand beside one another; else above one another.
    """
    if axis.ticks is not None:
        return [tick for tick in axis.ticks if scale.holds(tick[0])], []
    low, high = sorted((scale.first, scale.last))
    if scale.kind == "log" and high / low > 3:
        ticks, small = _powers(scale, low, high)
        return _thinned(ticks, scale, length, size, across=across), small if axis.small_ticks else []
    if scale.kind == "symlog" and len(ticks := _around_zero(scale)) > 1:
        return _thinned(ticks, scale, length, size, across=across), []
    return _round(scale, length, size, across=across), []


def _round(scale: Scale, length: float, size: float, *, across: bool) -> list[Tick]:
    """Return round numbers, as many as have room."""
    low, high = sorted((scale.first, scale.last))
    most = int(min(MOST_NUMBERS, max(2, length / (2.0 * size))))
    ticks: list[Tick] = []
    for step in _steps((high - low) / most):
        first = math.ceil(low / step - 1e-9)
        places = [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]
        ticks = list(zip(places, _texts(places, step), strict=True))
        if len(ticks) <= most and _have_room(ticks, scale, length, size, across=across):
            break
    return ticks


def _steps(least: float) -> Iterable[float]:
    """Yield round steps from `least` on."""
    power = 10.0 ** math.floor(math.log10(least))
    for place in range(30):
        step = STEPS[place % 3] * power * 10 ** (place // 3)
        if step >= least * (1 - 1e-9):
            yield step


def _texts(places: Sequence[float], step: float) -> list[str]:
    """Return numbers in one form, with as many digits as their step asks for."""
    largest = max(map(abs, places), default=0.0)
    if step < 1e-5 or largest >= 1e7:
        return [f"{value:.10g}".replace("-", "−") for value in places]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    if not math.isclose(round(step, digits), step, rel_tol=1e-6):
        digits += 1
    return [f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−") for value in places]


def _powers(scale: Scale, low: float, high: float) -> tuple[list[Tick], list[float]]:
    """Return powers of ten, with twice and five times them where there are few; and what lies between."""
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if math.log10(high / low) < 2 else (1,)
    ticks, small = [], []
    for decade in decades:
        for factor in range(1, 10):
            value = factor * 10.0**decade
            if scale.holds(value) and factor in factors:
                ticks.append((value, _power(factor, decade)))
            elif scale.holds(value):
                small.append(value)
    return ticks, small if len(decades) < 12 else []


def _power(factor: int, decade: int) -> str:
    if -4 < decade < 5:
        return f"{factor * 10.0**decade:.{max(0, -decade)}f}"
    return f"10^{decade}".replace("-", "−") if factor == 1 else f"{factor}e{decade}".replace("-", "−")


def _around_zero(scale: Scale) -> list[Tick]:
    """Return zero, the threshold times powers of ten, and their negatives."""
    low, high = sorted((scale.first, scale.last))
    decade = math.ceil(math.log10(scale.threshold) - 1e-9)
    found: list[Tick] = [(0.0, "0")] if low <= 0 <= high else []
    while 10.0**decade <= max(abs(low), abs(high)):
        for value, sign in ((10.0**decade, ""), (-(10.0**decade), "−")):
            if low <= value <= high:
                found.append((value, sign + _power(1, decade)))
        decade += 1
    return sorted(found)


def _thinned(ticks: list[Tick], scale: Scale, length: float, size: float, *, across: bool) -> list[Tick]:
    """Return every tick, or every second or third one: as many as have room."""
    for each in range(1, 10):
        kept = ticks[::each]
        if _have_room(kept, scale, length, size, across=across):
            return kept
    return ticks[:1]


def _have_room(ticks: Sequence[Tick], scale: Scale, length: float, size: float, *, across: bool) -> bool:
    places = length * scale.share([place for place, _ in ticks])
    order = np.argsort(places)
    free = np.diff(places[order])
    if not across:
        return bool((free > 1.3 * size).all())
    widths = np.array([width_of(ticks[place][1], size) for place in order])
    return bool((free > 0.5 * (widths[1:] + widths[:-1]) + APART).all())
