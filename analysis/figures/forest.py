"""The picture of effects as rows under one axis: both parts of every contrast, drawn by `templates/forest.html`.

A row holds what is drawn and printed of one contrast, in printed units; no page and no library is needed to make it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.number_format import MINUS, name, number, scale, signed, unit
from analysis.verdicts.verdicts import Verdict, contrast_label
from orchestrator.inference.judgement import Judgement

__all__ = ["Axis", "Forest", "Row", "axis_of", "forest_of", "rows_of"]

REACH = 2.5
"""Single seeds further out than this times the reach of intervals and margin are drawn at the edge."""
ROOM = 0.05
"""Of the axis, free at both ends."""
MOST_TICKS = 7


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the picture; numbers are in printed units, nan where there is none."""

    key: str
    """Its permalink: `contrast-3`."""
    label: str
    group: str = ""
    """The dataset, if the study has several."""
    decision: str
    """Of the difference: effect, equivalent, inconclusive, refused or described: colour and mark."""
    of_both: str = ""
    """Of both parts, likewise; empty: the same."""
    words: str
    """The verdict of both parts, in a few words."""
    centre: float
    """Mean difference where both work; the median where signs were counted, which the interval is then about."""
    low: float = math.nan
    high: float = math.nan
    dots: tuple[float, ...] = ()
    """Of every seed."""
    value: str
    """The centre as printed."""
    span: str = ""
    """The interval as printed, in brackets."""
    works: Works | None = None
    sentence: str = ""
    """All that is said of it."""


@dataclass(frozen=True, kw_only=True)
class Works:
    """How often both sides work, of the seeds with an outcome of both."""

    first: float
    second: float
    n: int
    shown: bool
    """It is shown that one works more often."""

    @property
    def text(self) -> str:
        """Return "12 of 12", or "0 v 12 of 12" where the sides differ."""
        first, second = number(self.first), number(self.second)
        return f"{first} of {self.n}" if first == second else f"{first} v {second} of {self.n}"

    @property
    def percent(self) -> tuple[float, float]:
        """Shares of both sides, for the bar and the tick on it."""
        return (100 * self.first / self.n, 100 * self.second / self.n) if self.n else (0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A linear axis in printed units."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    """Places and what stands there."""
    margin: float = math.nan
    """Half width of the band around 0 within which a difference counts as none."""
    label: str = ""

    def place(self, value: float) -> float:
        """Return where a value lies, in percent of the width; what lies beyond the ends stands there."""
        if not math.isfinite(value):
            return 0.0 if value < 0 else 100.0
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(1.0, max(0.0, share)), 2)


@dataclass(frozen=True)
class Forest:
    """Rows under one axis."""

    axis: Axis
    rows: tuple[Row, ...]
    headings: tuple[str, str, str] = ("what is changed", "works on", "difference")
    """Of the labels, of how often it works (empty: no such column), and of the numbers."""
    note: str = ""
    groups: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", tuple(dict.fromkeys(row.group for row in self.rows)))


def forest_of(found: Sequence[Verdict], metric: str, *, margin: float | None, several: bool) -> Forest:
    """Return the picture of a study's contrasts.

    Args:
        found: the verdicts, in the order of the plan.
        metric: that they are about.
        margin: the stated one, in the ledger's units; None: there is none.
        several: the study has several datasets.
    """
    rows = rows_of(found, metric, several=several)
    shown = scale(metric) * margin if margin else math.nan
    text = f"difference in {name(metric)}{' (points)' if unit(metric) else ''} where both work, seed by seed"
    against = _against(found)
    return Forest(axis_of(rows, shown, text + against), tuple(rows), (_heading(found), "works on", "difference"))


def _against(found: Sequence[Verdict]) -> str:
    """Return ", against baseline" if all contrasts set something against the same arm of their dataset."""
    sides = set()
    for one in found:
        for arm, weight in one.contrast.weights.items():
            if weight < 0:
                sides.add(arm.removesuffix(f" @ {one.dataset}"))
    return f", against {sides.pop()}" if len(sides) == 1 else ""


def _heading(found: Sequence[Verdict]) -> str:
    return "what is changed" if any(one.contrast.kind == "difference" for one in found) else "contrast"


def rows_of(found: Sequence[Verdict], metric: str, *, several: bool) -> list[Row]:
    """Return one row a contrast."""
    return [_row(place, one, metric, several) for place, one in enumerate(found)]


def _row(place: int, verdict: Verdict, metric: str, several: bool) -> Row:
    judgement, factor = verdict.judgement, scale(metric)
    dots = tuple(factor * value for value in judgement.living.differences)
    centre, interval = _centre(judgement), judgement.interval
    known = bool(dots)
    ends = (factor * interval.low, factor * interval.high) if interval.attainable and known else (math.nan, math.nan)
    return Row(
        key=f"contrast-{place}",
        label=contrast_label(verdict),
        group=verdict.dataset if several else "",
        decision=judgement.decision,
        of_both=verdict.decision,
        words=verdict.words,
        centre=factor * centre if known else math.nan,
        low=ends[0],
        high=ends[1],
        dots=dots,
        value=signed(centre, metric) if known else "–",
        span=_span(ends, metric, known=known),
        works=_works(judgement),
        sentence=verdict.sentence,
    )


def _centre(judgement: Judgement) -> float:
    living = judgement.living
    return float(np.median(living.differences)) if living.by_signs and living.differences else living.estimate


def _span(ends: tuple[float, float], metric: str, *, known: bool) -> str:
    if not known:
        return ""
    if math.isnan(ends[0]):
        return "[no interval]"
    factor = scale(metric)
    return f"[{signed(ends[0] / factor, metric)}, {signed(ends[1] / factor, metric)}]"


def _works(judgement: Judgement) -> Works | None:
    working = judgement.working
    if not working.n_seeds:
        return None
    first, second = working.not_working
    n_seeds = working.n_seeds
    return Works(first=n_seeds - first, second=n_seeds - second, n=n_seeds, shown=working.shown)


def axis_of(rows: Sequence[Row], margin: float = math.nan, label: str = "", *, least: float | None = None) -> Axis:
    """Return an axis that holds every centre, interval and the margin, and single seeds that are not far out.

    Args:
        rows: what is drawn.
        margin: half width of the band around 0; nan: none.
        label: what the axis is.
        least: a value that it holds in any case; None: 0.
    """
    held = [margin, -margin, 0.0 if least is None else least]
    dots: list[float] = []
    for row in rows:
        held += [row.centre, row.low, row.high]
        dots += row.dots
    held = list(filter(math.isfinite, held))
    low, high = min(held), max(held)
    reach = max(high - low, 1e-9)
    middle = (low + high) / 2
    near = [dot for dot in dots if abs(dot - middle) <= REACH * reach / 2]
    low, high = min([low, *near]), max([high, *near])
    room = ROOM * (high - low) or 1.0
    low, high = low - room, high + room
    return Axis(low=low, high=high, ticks=_ticks(low, high), margin=margin, label=label)


def _ticks(low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Return round numbers within the axis, at most `MOST_TICKS`."""
    raw = (high - low) / MOST_TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(times * power for times in (1, 2, 2.5, 5, 10) if times * power >= raw)
    ticks = []
    for index in range(math.ceil(low / step), math.floor(high / step) + 1):
        value = index * step
        ticks.append((value, f"{value:.10g}".replace("-", MINUS)))
    return tuple(ticks)
