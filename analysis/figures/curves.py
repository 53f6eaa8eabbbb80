"""Lines with interval bands: the metric over the levels of a knob, and over the epochs of training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.data.study_view import StudyView
from analysis.figures.drawing import BLACK, PALETTE, Drawing, canvas, fitted, tidy
from analysis.number_format import label, scale
from analysis.svg.figure import Figure, Panel
from analysis.tables.arm_tables import ArmRow, by_dataset

__all__ = ["confidence", "curves_figures", "level_figure", "level_figures"]

MOST_CURVES = 8
"""More curves than this in one panel are no figure that anyone reads."""
LEGEND_LETTERS = 28
"""A line of a legend, which stands inside its panel."""
LOG_RATIO = 30.0
"""Positive levels that span more than this ratio are drawn on a logarithmic axis."""

Floats = NDArray[np.float64]


def confidence(study: StudyView) -> str:
    """Return the level of the study's intervals as captions say it: "95 %"."""
    return f"{100 * (1 - float(study.record['alpha'])):g} %"


def level_figures(study: StudyView, rows: Sequence[ArmRow]) -> list[Drawing]:
    """Return one figure per factor of which at least three levels (the baseline's included) are numbers."""
    found = []
    for factor in dict.fromkeys(row.factor for row in rows):
        drawing = level_figure(study, rows, factor) if factor else None
        if drawing is not None:
            found.append(drawing)
    return found


@dataclass(frozen=True)
class _Level:
    """An arm at its level of a factor."""

    value: float
    is_baseline: bool
    row: ArmRow


def level_figure(study: StudyView, rows: Sequence[ArmRow], factor: str) -> Drawing | None:
    """Draw the metric against the levels of one numeric factor, with interval bands.

    None if it is not numeric, or if arms share a level: then they differ in something else besides.
    """
    metric = study.metric
    levels_on: dict[str, list[_Level]] = {}
    for dataset, here in by_dataset(rows).items():
        levels = _levels(study, here, factor)
        if len(levels) < 3 or _share_a_value(levels):
            return None
        levels_on[dataset] = levels
    figure, grid = canvas(1, 1, (5.6, 3.4))
    axes = grid[0][0]
    values = []
    for index, (dataset, levels) in enumerate(levels_on.items()):
        _level_line(axes, levels, metric, PALETTE[index % 7], dataset)
        values += [level.value for level in levels]
    _log_axis(axes, np.array(values))
    axes.x_label = factor
    axes.y_label = label(metric)
    tidy(axes)
    axes.legend = "free"
    caption = (
        f"{label(metric)} over the levels of {factor}, all else at the baseline: means and {confidence(study)} t "
        "intervals over seeds; the open square is the baseline."
    )
    return Drawing(f"levels_{factor}", f"Levels of {factor}", caption, figure)


def _share_a_value(levels: Sequence[_Level]) -> bool:
    """Return whether two of some levels, which are in order, have the same value."""
    return any(first.value == second.value for first, second in pairwise(levels))


def _level_line(axes: Panel, levels: Sequence[_Level], metric: str, colour: str, text: str) -> None:
    """Draw the means of one dataset over their levels, with their intervals, and mark the baseline."""
    x, mean, low, high = [], [], [], []
    for level in levels:
        cell = level.row.cells[metric]
        x.append(level.value)
        mean.append(cell.mean)
        low.append(cell.low)
        high.append(cell.high)
    _band(axes, np.array(x), scale(metric) * np.array([mean, low, high]), colour, text)
    for level in levels:
        if level.is_baseline:
            place = scale(metric) * level.row.cells[metric].mean
            axes.plot([level.value], [place], "s", colour=BLACK, face="white", size=6, order=4)


def _log_axis(axes: Panel, values: Floats) -> None:
    """Make the axis of the levels logarithmic where they span much; linear around 0 if some are not positive."""
    positive = values[values > 0]
    if not len(positive) or positive.max() / positive.min() <= LOG_RATIO:
        return
    if len(positive) == len(values):
        axes.x.be_logarithmic()
    else:
        axes.x.be_logarithmic(float(positive.min()))


def _levels(study: StudyView, rows: Sequence[ArmRow], factor: str) -> list[_Level]:
    """Return a factor's arms that have values on one dataset, by level; nothing if a level is not a number."""
    column = f"knob.{factor}"
    found = []
    for row in rows:
        if row.factor != factor and row.role != "baseline":
            continue
        if row.cells.get(study.metric) is None or row.cells[study.metric].n < 2:
            continue
        held = study.rows.loc[study.rows["arm"] == row.arm, column].dropna() if column in study.rows else pd.Series()
        value = pd.to_numeric(held, errors="coerce")
        if value.empty or not np.isfinite(value.iloc[0]) or isinstance(held.iloc[0], bool | np.bool_):
            return []
        found.append(_Level(float(value.iloc[0]), row.role == "baseline", row))
    return sorted(found, key=lambda level: level.value)


def _band(axes: Panel, x: Floats, ends: Floats, colour: str, text: str, dash: str = "-") -> None:
    """Draw a line with its band; `ends` are means, lower and upper ends, (3, levels)."""
    mean, low, high = ends
    marker = "o" if len(x) <= 25 else ""
    axes.plot(x, mean, marker + dash, size=4, colour=colour, width=1.7, label=text)
    axes.fill(x, low, high, colour=colour, alpha=0.18)


def curves_figures(study: StudyView, epochs: pd.DataFrame, metric: str) -> list[Drawing]:
    """Return the learning curves, one figure a dataset and one panel a factor with the baseline in each."""
    column = f"metric.{metric}"
    if epochs.empty or column not in epochs.columns or epochs.groupby("trial_id")["epoch"].nunique().max() < 3:
        return []
    several = len(study.record["datasets"]) > 1
    found = []
    for dataset, here in epochs.dropna(subset=[column]).groupby("dataset", observed=True):
        baseline, panels = _panels(study, str(dataset), set(here["arm"]))
        if not (baseline or panels) or max(map(len, panels.values()), default=0) > MOST_CURVES:
            continue
        drawing = _curves(study, here, (str(dataset), metric), baseline, panels or {"": []})
        suffix = f"_{dataset}".replace(":", "_").replace(",", "_").replace("=", "_") if several else ""
        found.append(Drawing(f"curves_{metric}{suffix}", f"Learning curves on {dataset}", *drawing))
    return found


def _panels(study: StudyView, dataset: str, trained: set[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the baselines of a dataset that were trained, and its other arms by factor: one panel each."""
    baseline: list[str] = []
    panels: dict[str, list[str]] = {}
    for arm in study.record["arms"]:
        name = str(arm["name"])
        if arm["dataset"] != dataset or name not in trained or arm.get("factor") == "sample":
            continue
        if arm["role"] == "baseline":
            baseline.append(name)
        else:
            factor = "rivals" if arm["role"] == "rival" else str(arm.get("factor") or "levels")
            panels.setdefault(factor, []).append(name)
    return baseline, panels


def _curves(
    study: StudyView, epochs: pd.DataFrame, what: tuple[str, str], baseline: list[str], panels: dict[str, list[str]]
) -> tuple[str, Figure]:
    dataset, metric = what
    across = min(3, len(panels))
    down = math.ceil(len(panels) / across)
    figure, grid = canvas(down, across, (3.4 * across + 0.4, 3.1 * down), share_y=True, share_x=True)
    flat = list(chain.from_iterable(grid))
    for place, (axes, (factor, names)) in enumerate(zip(flat, panels.items(), strict=False)):
        arms = [*baseline, *names]
        shown = fitted([arm.removesuffix(f" @ {dataset}") for arm in arms], LEGEND_LETTERS)
        for index, arm in enumerate(arms):
            colour = BLACK if arm in baseline else PALETTE[(index - len(baseline)) % len(PALETTE)]
            x, ends = _curve(epochs[epochs["arm"] == arm], metric, 1 - float(study.record["alpha"]))
            _band(axes, x, ends, colour, shown[index], "--" if arm in baseline else "-")
        axes.title = "".join(fitted([factor], LEGEND_LETTERS))
        tidy(axes)
        axes.legend, axes.legend_size = "free", 7.0
        if place % across == 0:
            axes.y_label = label(metric)
        if place + across >= len(panels):  # the lowest panel of its column
            axes.x_label = "epoch"
    for axes in flat[len(panels) :]:
        axes.visible = False
    caption = (
        f"{label(metric)} during training on {dataset}: mean over seeds, bands are pointwise {confidence(study)} t "
        "intervals of the mean; the dashed black line is the baseline."
    )
    return caption, figure


def _curve(rows: pd.DataFrame, metric: str, level: float) -> tuple[Floats, Floats]:
    """Return epochs, and (3, epochs) mean, lower and upper end of the t interval over seeds, in printed units."""
    grouped = rows.groupby("epoch")[f"metric.{metric}"]
    table = grouped.agg(["mean", "std", "count"])
    count = table["count"].to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore"):
        reach = stats.t.ppf(0.5 + level / 2, count - 1) * table["std"].to_numpy() / np.sqrt(count)
    mean = table["mean"].to_numpy(dtype=np.float64)
    return table.index.to_numpy(dtype=np.float64), scale(metric) * np.array([mean, mean - reach, mean + reach])
