"""The first picture of a study that tests nothing: influences of knobs, or else what every arm has; and its answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.data.study_view import StudyView
from analysis.figures.forest import Forest, Row, axis_of
from analysis.number_format import label, name, number, scale
from analysis.sensitivity.importance import Importance
from analysis.sensitivity.screening import Screening
from analysis.tables.arm_tables import ArmRow
from analysis.verdicts.short_answer import MOST_WORDS, shortened

__all__ = ["described_answer", "described_forest"]

DECISION = "described"
MOST_ARMS = 40
"""More arms than these are no picture; the table has them."""


def described_forest(
    study: StudyView, rows: Sequence[ArmRow], known: Sequence[Importance], screened: Sequence[Screening]
) -> Forest | None:
    """Return influences of knobs with their intervals if the study has any, else the arms; None: there is nothing."""
    usable = [one for one in screened if not one.refused]
    if usable:
        return _screening(study, usable)
    if known:
        return _importance(known)
    return _arms(study, rows)


def described_answer(
    study: StudyView, rows: Sequence[ArmRow], known: Sequence[Importance], screened: Sequence[Screening]
) -> str:
    """Return what stands out, in at most `MOST_WORDS` words."""
    usable = [one for one in screened if not one.refused]
    if usable:
        top = shortened(str(usable[0].table.index[0]))
        return f"{top} has the largest influence on {name(study.metric)}; described, not tested."
    if known:
        shares = known[0].shares
        top, share = shortened(str(shares.index[0])), 100 * float(shares["importance"].iloc[0])
        lead = f"{top} matters most" if known[0].clear else f"No clear first; {top} has most"
        return f"{lead}: {share:.0f} % of reaching the best configurations; not tested."
    best = max((row for row in rows if _mean(row, study.metric) == _mean(row, study.metric)), default=None,
               key=lambda row: _mean(row, study.metric))  # fmt: skip
    if best is None:
        return "No trial is complete yet."
    text = f"{shortened(best.short)} has the highest {name(study.metric)}: {_value(best, study.metric)}; not tested."
    return text if len(text.split()) <= MOST_WORDS else "It describes and tests nothing."


def _mean(row: ArmRow, metric: str) -> float:
    return row.cells[metric].mean if metric in row.cells else math.nan


def _value(row: ArmRow, metric: str) -> str:
    return number(_mean(row, metric), metric)


def _screening(study: StudyView, screened: Sequence[Screening]) -> Forest:
    """Draw mu* or total shares; of several samples each is a group."""
    sobol = screened[0].kind == "sobol"
    column, ends = ("ST", ("ST_low", "ST_high")) if sobol else ("mu_star", ("low", "high"))
    factor = 100.0 if sobol else scale(study.metric)
    rows: list[Row] = []
    for one in screened:
        for knob, row in one.table.iterrows():
            values = [factor * float(row[part]) for part in (column, *ends)]
            rows.append(_row(len(rows), str(knob), _group(screened, f"{one.method} on {one.dataset}"), values))
    what = f"total share of the variance of {label(study.metric)}" if sobol else f"mu*: effect on {label(study.metric)}"
    return Forest(axis_of(rows, label=f"{what}, 95 % intervals"), tuple(rows), ("knob", "", "influence"))


def _importance(known: Sequence[Importance]) -> Forest:
    rows: list[Row] = []
    for one in known:
        for knob, row in one.shares.iterrows():
            values = [100.0 * float(row[part]) for part in ("importance", "low", "high")]
            rows.append(_row(len(rows), str(knob), _group(known, one.where), values))
    text = "share in reaching the best configurations (%), PED-ANOVA with 95 % bootstrap intervals"
    return Forest(axis_of(rows, label=text), tuple(rows), ("knob", "", "importance"))


def _arms(study: StudyView, arms: Sequence[ArmRow]) -> Forest | None:
    metric, factor = study.metric, scale(study.metric)
    rows: list[Row] = []
    several = len({arm.dataset for arm in arms}) > 1
    for arm in arms[:MOST_ARMS]:
        cell = arm.cells.get(metric)
        if arm.factor != "sample" and cell is not None and cell.n:
            values = [factor * value for value in (cell.mean, cell.low, cell.high)]
            rows.append(_row(len(rows), arm.short, arm.dataset if several else "", values))
    if not rows:
        return None
    lowest = min(row.centre for row in rows)
    text = f"{label(metric)}: mean over seeds and t interval"
    return Forest(axis_of(rows, label=text, least=lowest), tuple(rows), ("arm", "", name(metric)))


def _group(several: Sequence[object], title: str) -> str:
    return title if len(several) > 1 else ""


def _row(place: int, text: str, group: str, values: Sequence[float]) -> Row:
    middle, low, high = values
    known = math.isfinite(low) and math.isfinite(high)
    return Row(
        key=f"row-{place}",
        label=text,
        group=group,
        decision=DECISION,
        words="described",
        centre=middle,
        low=low,
        high=high,
        value=number(middle),
        span=f"[{number(low)}, {number(high)}]" if known else "",
    )
