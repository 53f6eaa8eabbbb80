"""The first picture of a study that tests nothing: influences of knobs, or else what every arm has; and its answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from analysis.data.study_view import StudyView
from analysis.figures.forest import Forest, Row, axis_of
from analysis.number_format import label, name, number, scale
from analysis.sensitivity.importance import Importance
from analysis.sensitivity.screening import Screening
from analysis.tables.arm_tables import ArmRow, by_dataset
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
    measured = [row for row in rows if not math.isnan(_mean(row, study.metric))]
    if not measured:
        return "No trial is complete yet."
    best = max(measured, key=lambda row: _mean(row, study.metric))
    text = f"{shortened(best.short)} has the highest {name(study.metric)}: {_value(best, study.metric)}; not tested."
    return text if len(text.split()) <= MOST_WORDS else "It describes and tests nothing."


def _mean(row: ArmRow, metric: str) -> float:
    return row.cells[metric].mean if metric in row.cells else math.nan


def _value(row: ArmRow, metric: str) -> str:
    return number(_mean(row, metric), metric)


def _screening(study: StudyView, screened: Sequence[Screening]) -> Forest:
    """Draw mu* or total shares; of several samples each is a group."""
    sobol = screened[0].kind == "sobol"
    columns = ["ST", "ST_low", "ST_high"] if sobol else ["mu_star", "low", "high"]
    factor = 100.0 if sobol else scale(study.metric)
    rows: list[Row] = []
    for one in screened:
        group = _group(screened, f"{one.method} on {one.dataset}")
        rows += _knob_rows(factor * one.table[columns].astype(float), group, len(rows))
    what = f"total share of the variance of {label(study.metric)}" if sobol else f"mu*: effect on {label(study.metric)}"
    return Forest(axis_of(rows, label=f"{what}, 95 % intervals"), tuple(rows), ("knob", "", "influence"))


def _importance(known: Sequence[Importance]) -> Forest:
    rows: list[Row] = []
    for one in known:
        values = 100.0 * one.shares[["importance", "low", "high"]].astype(float)
        rows += _knob_rows(values, _group(known, one.where), len(rows))
    text = "share in reaching the best configurations (%), PED-ANOVA with 95 % bootstrap intervals"
    return Forest(axis_of(rows, label=text), tuple(rows), ("knob", "", "importance"))


def _arms(study: StudyView, arms: Sequence[ArmRow]) -> Forest | None:
    metric, factor = study.metric, scale(study.metric)
    rows: list[Row] = []
    several = len(by_dataset(arms)) > 1
    for arm in arms[:MOST_ARMS]:
        cell = arm.cells.get(metric)
        if arm.factor != "sample" and cell is not None and cell.n:
            values = (factor * cell.mean, factor * cell.low, factor * cell.high)
            rows.append(_row(len(rows), arm.short, arm.dataset if several else "", values))
    if not rows:
        return None
    lowest = min(row.centre for row in rows)
    text = f"{label(metric)}: mean over seeds and t interval"
    return Forest(axis_of(rows, label=text, least=lowest), tuple(rows), ("arm", "", name(metric)))


def _group(several: Sequence[object], title: str) -> str:
    return title if len(several) > 1 else ""


def _knob_rows(table: pd.DataFrame, group: str, before: int) -> list[Row]:
    """Return one row a knob, after the `before` rows that there are.

    Args:
        table: index knob; columns middle, lower and upper end, in printed units.
        group: the heading above them.
        before: how many rows come before.
    """
    return [_row(before + i, str(knob), group, ends) for i, (knob, *ends) in enumerate(table.itertuples(name=None))]


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
