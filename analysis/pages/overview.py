"""Every study in one line: question, answer, its most telling effect with interval, seeds, tier; under one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.data.study_view import StudyView
from analysis.figures.forest import Axis, Row, axis_of
from analysis.number_format import name, scale
from analysis.pages.report import Answer

__all__ = ["Line", "as_text", "common_axis", "line_of"]

WIDTH = 31
"""Signs of a picture in text; an odd number, so that a middle is there."""
MARKS = {"effect": "◆", "equivalent": "■"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One study on the index page and in ANSWERS.md."""

    name: str
    question: str
    tier: str
    exploratory: bool
    answer: str
    """How many contrasts ended in which decision, or that it describes."""
    short: str
    """What was found, in at most 15 words."""
    papers: tuple[str, ...]
    knobs: tuple[str, ...]
    """What is changed or searched."""
    verdicts: tuple[str, ...]
    """Words of its contrasts, each once."""
    n_seeds: int
    metric: str
    """As it is written."""
    percent: bool
    """Differences are points, and can stand under the common axis."""
    lead: Row | None
    """The most telling contrast; None: it describes."""


def line_of(study: StudyView, answer: Answer) -> Line:
    """Return a study's line."""
    record = study.record
    factors = [str(one.get("factor") or "") for one in record.get("contrasts", ())]
    searched = [knob for search in record.get("searches", ()) for knob in search["space"]]
    papers = [one.strip() for one in str(record.get("paper") or "").split(",")]
    return Line(
        name=study.name,
        question=answer.question,
        tier=str(record.get("tier", "local")),
        exploratory=bool(record.get("exploratory")),
        answer=answer.tally or "It describes and tests nothing.",
        short=answer.short,
        papers=_once(papers),
        knobs=_once([*factors, *searched]),
        verdicts=_once([*answer.living, *answer.how_often] if answer.words else ["described"]),
        n_seeds=len(record["seeds"]["seeds"]),
        metric=name(study.metric),
        percent=scale(study.metric) == 100.0,
        lead=answer.lead,
    )


def _once(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))


def common_axis(lines: Sequence[Line]) -> Axis:
    """Return the axis under which the effects of all studies stand that are measured in points."""
    rows = [line.lead for line in lines if line.lead is not None and line.percent]
    return axis_of(rows, label="most telling difference where both work (points), its interval")


def as_text(row: Row, axis: Axis) -> str:
    """Return an interval as a line of `WIDTH` signs: │ is zero, ◆ an effect, ■ no difference, ○ neither."""
    signs = [" "] * WIDTH
    signs[_spot(0.0, axis)] = "│"
    if math.isfinite(row.low) and math.isfinite(row.high):
        for place in range(_spot(row.low, axis), _spot(row.high, axis) + 1):
            signs[place] = "─"
    if math.isfinite(row.centre):
        signs[_spot(row.centre, axis)] = MARKS.get(row.decision, "○")
    return "".join(signs)


def _spot(value: float, axis: Axis) -> int:
    return round(axis.place(value) / 100 * (WIDTH - 1))
