"""Figures of a finite design: differences, arms and collapse, each with its intervals; and all that such a study has.

Data frames in, drawings out; lines over levels and epochs are in `analysis.figures.curves`, searches in `searches`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.figures import curves, knob_maps
from analysis.figures.curves import confidence
from analysis.figures.drawing import BLACK, GREY, PALETTE, Drawing, canvas, fitted, row_height, tidy
from analysis.number_format import label, name, p_text, scale, signed, unit
from analysis.svg.figure import Panel
from analysis.tables import arm_tables
from analysis.tables.arm_tables import ArmRow
from analysis.verdicts.verdicts import Verdict, first_side

__all__ = ["arms_figure", "collapse_figure", "effects_figure", "study_figures"]

LOOKS = {
    "effect": (PALETTE[1], "D", "effect"),
    "equivalent": (PALETTE[2], "s", "no difference beyond the margin"),
    "inconclusive": (PALETTE[0], "o", "inconclusive"),
    "refused": (GREY, "x", "not tested"),
}
"""Decision -> colour, marker and legend: the marker alone tells them apart, without colour."""
MOST_ARMS = 60
"""More arms than this are no figure that anyone reads; the table and the CSV have them."""


def study_figures(
    study: StudyView, rows: Sequence[ArmRow], found: Sequence[Verdict], epochs: pd.DataFrame
) -> list[Drawing]:
    """Return all figures of the study's finite design, the one that answers the question first."""
    drawings = [effects_figure(study, found)] if found else []
    shown = arm_tables.shown(rows)
    if shown and len(shown) <= MOST_ARMS:
        drawings.append(arms_figure(study, shown))
    drawings += curves.level_figures(study, shown)
    drawings += knob_maps.grid_figures(study, shown)
    drawings += curves.curves_figures(study, epochs, study.metric)
    if len(shown) <= MOST_ARMS and any(row.counts["collapsed"] for row in shown):
        drawings.append(collapse_figure(shown))
    return drawings


def effects_figure(study: StudyView, found: Sequence[Verdict]) -> Drawing:
    """Draw every contrast: per-seed differences, their mean, the interval, and the margin as a band around zero.

    Where a few differences dwarf the others a second panel shows the middle enlarged.
    """
    metric = study.metric
    close = _close_up(found, scale(metric))
    several = len(study.record["datasets"]) > 1
    names = fitted([_contrast_label(verdict, several) for verdict in found])
    height = 1.5 + 0.42 * len(found) * row_height(names)
    figure, grid = canvas(1, 2 if close else 1, (9.6 if close else 8.0, height), share_y=True)
    for panel, axes in enumerate(grid[0]):
        for place, verdict in enumerate(found):
            _effect_line(axes, place, verdict, metric)
        axes.rule(0, colour=BLACK, width=0.9)
        _margin_band(axes, study)
        axes.x_label = f"difference in {name(metric)}{' (points)' if unit(metric) else ''}, paired by seed"
        axes.title = "all seeds" if close and not panel else "the middle, enlarged" if close else ""
        axes.title_size = 9.0
        tidy(axes, "x")
    if close:
        grid[0][1].x.ends = (-close, close)
    _effect_texts(grid[0][-1], found, metric)
    grid[0][0].y.name(range(len(found)), names)
    grid[0][0].y.ends = (len(found) - 0.5, -0.5)
    figure.legend = grid[0][0].labelled()
    caption = (
        f"Paired differences in {label(metric)} where both sides work: small dots are single seeds, large marks means, "
        f"bars {confidence(study)} intervals of one contrast each that invert the test; at the right the mean and its "
        "corrected p, and who works more often where that is shown."
    )
    return Drawing("effects", "Differences, seed by seed", caption, figure)


def _close_up(found: Sequence[Verdict], factor: float) -> float | None:
    """Return the half width of an enlarged panel if the widest contrast is over six times the median one."""
    reaches, margins = [], []
    for verdict in found:
        judgement = verdict.judgement
        if judgement.living.differences:
            reaches.append(factor * float(np.abs(judgement.living.differences).max()))
        if judgement.equivalence is not None:
            margins.append(factor * judgement.equivalence.margin)
    if len(reaches) < 3 or max(reaches) < 6 * float(np.median(reaches)):
        return None
    return 1.3 * max([float(np.median(reaches)), *margins])


def _margin_band(axes: Panel, study: StudyView) -> None:
    margin = study.record.get("margin")
    if margin:
        reach = scale(study.metric) * float(margin)
        axes.span(-reach, reach, colour=PALETTE[2], alpha=0.13, label="stated margin")


def _effect_line(axes: Panel, place: int, verdict: Verdict, metric: str) -> None:
    judgement = verdict.judgement
    seeds = np.array(judgement.living.differences)
    colour, marker, text = LOOKS[judgement.decision]
    factor = scale(metric)
    if not len(seeds):
        axes.write("no seed on which both work", 0.02, place, across=True, baseline="middle", colour=GREY)
        return
    axes.plot(factor * seeds, place + 0.14 + _spread(len(seeds)), ".", colour=GREY, size=4, alpha=0.8)
    interval, y = judgement.interval, place - 0.18
    if interval.attainable:
        axes.plot([factor * interval.low, factor * interval.high], [y, y], "|-", colour=colour, width=2, size=8)
    face = "white" if judgement.decision == "inconclusive" else colour
    axes.plot([factor * float(seeds.mean())], [y], marker, colour=colour, face=face, size=6, label=text, order=3)


def _effect_texts(axes: Panel, found: Sequence[Verdict], metric: str) -> None:
    for place, verdict in enumerate(found):
        judgement = verdict.judgement
        parts = [verdict.works] if judgement.working.shown else []
        if len(judgement.living.seeds):
            parts.insert(0, f"{signed(judgement.estimate, metric)}, {p_text(judgement.p_corrected)}")
        said = "; ".join(parts)
        axes.write(said, 1.02, place, across=True, baseline="middle", size=8, colour=BLACK)


def _contrast_label(verdict: Verdict, several: bool) -> str:
    contrast = verdict.contrast
    text = (
        first_side(contrast).removesuffix(f" @ {verdict.dataset}") if contrast.kind == "difference" else contrast.name
    )
    if several:
        text = f"{text}\n{verdict.dataset}"
    return text


def arms_figure(study: StudyView, rows: Sequence[ArmRow]) -> Drawing:
    """Draw every arm: each seed, the mean and its interval; collapsed seeds are crosses; one panel a dataset."""
    metric, table = study.metric, study_view.arm_seed_values(study, study.metric)
    values, gone = table.by_seed(), table.collapsed_by_seed()
    datasets = arm_tables.by_dataset(rows)
    names = list(dict.fromkeys(row.short for row in rows))
    shown = fitted(names)
    size = (3.2 + 3.6 * len(datasets), 1.4 + 0.4 * len(names) * row_height(shown))
    figure, grid = canvas(1, len(datasets), size, share_y=True)
    for axes, (dataset, here) in zip(grid[0], datasets.items(), strict=True):
        for row in here:
            _arm_line(axes, names.index(row.short), row, metric, (values[row.arm], gone[row.arm]))
        _baseline_band(axes, here, metric)
        axes.title = dataset
        axes.x_label = label(metric)
        tidy(axes, "x")
    first = grid[0][0]
    first.y.name(range(len(names)), shown)
    first.y.ends = (len(names) - 0.5, -0.5)
    caption = (
        f"{label(metric)} of every arm: dots are single seeds, crosses collapsed ones, diamonds means with their "
        f"{confidence(study)} t intervals (collapsed seeds included); the grey band is the baseline's interval."
    )
    return Drawing("arms", "Arms", caption, figure)


def _arm_line(
    axes: Panel, place: int, row: ArmRow, metric: str, seeds: tuple[dict[int, float], dict[int, bool]]
) -> None:
    values, gone = seeds
    x = scale(metric) * np.array(list(values.values()))
    y = place + 0.14 + _spread(len(values))
    collapsed = np.array([gone.get(seed, False) for seed in values], dtype=bool)
    axes.plot(x[~collapsed], y[~collapsed], ".", colour=GREY, size=4.0)
    axes.plot(x[collapsed], y[collapsed], "x", colour=GREY, size=4.5)
    _arm_mean(axes, place, row, metric)


def _arm_mean(axes: Panel, place: int, row: ArmRow, metric: str) -> None:
    """Draw the mean and the interval of an arm, or say that there is none."""
    cell, y = row.cells.get(metric), place - 0.18
    if cell is None or cell.n == 0:
        axes.write("no complete trial", 0.02, place, across=True, baseline="middle", colour=GREY)
        return
    colour = {"baseline": BLACK, "rival": PALETTE[3]}.get(row.role, PALETTE[0])
    if math.isfinite(cell.low):
        ends = [scale(metric) * cell.low, scale(metric) * cell.high]
        axes.plot(ends, [y, y], "|-", colour=colour, width=2, size=8)
    axes.plot([scale(metric) * cell.mean], [y], "D", colour=colour, size=5, order=3)


def _baseline_band(axes: Panel, rows: Sequence[ArmRow], metric: str) -> None:
    for row in rows:
        cell = row.cells.get(metric)
        if row.role == "baseline" and cell is not None and math.isfinite(cell.low):
            axes.span(scale(metric) * cell.low, scale(metric) * cell.high, colour=GREY, alpha=0.2)


def collapse_figure(rows: Sequence[ArmRow]) -> Drawing:
    """Draw the share of collapsed trials of every arm with its Clopper-Pearson interval."""
    several = len(arm_tables.by_dataset(rows)) > 1
    names = fitted([row.arm if several else row.short for row in rows])
    figure, grid = canvas(1, 1, (6.4, 1.3 + 0.33 * len(rows) * row_height(names)))
    axes = grid[0][0]
    for place, row in enumerate(rows):
        gone, total = row.counts["collapsed"], row.counts["complete"]
        if not total:
            continue
        share = stats.binomtest(gone, total).proportion_ci(0.95)
        colour = PALETTE[1] if gone else GREY
        axes.plot([100 * share.low, 100 * share.high], [place, place], colour=colour, width=2.2)
        axes.plot([100 * gone / total], [place], "D", colour=colour, size=6)
        axes.write(f"{gone}/{total}", 1.01, place, across=True, baseline="middle", size=8)
    axes.y.name(range(len(rows)), names)
    axes.y.ends = (len(rows) - 0.5, -0.5)
    axes.x.ends = (-2, 102)
    axes.x_label = "collapsed trials (%)"
    tidy(axes, "x")
    caption = "Share of collapsed trials among the complete ones of each arm, with 95 % Clopper-Pearson intervals."
    return Drawing("collapse", "Collapse", caption, figure)


def _spread(n: int) -> NDArray[np.float64]:
    """Return fixed small vertical offsets (n,), so that equal seeds do not hide each other; no random draw."""
    return 0.16 * (np.arange(n) % 5 - 2) / 2 if n > 1 else np.zeros(n)
