"""Accuracy against cost: every arm of a study at its seconds a trial, and which of them nothing cheaper beats."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.figures.drawing import BLACK, GREY, PALETTE, Drawing, canvas, key_of, tidy
from analysis.number_format import label, scale
from analysis.tables.arm_tables import ArmRow, mean_interval

__all__ = ["costs", "front", "pareto_figures"]

Floats = NDArray[np.float64]

WORTH_SHOWING = 1.5
"""Arms whose costs differ by less than this ratio have nothing to trade."""
MOST_NAMED = 24


def costs(study: StudyView, rows: Sequence[ArmRow]) -> pd.DataFrame:
    """Return one row per arm with complete trials: dataset, arm, method, role, `mean`, `low`, `high` of the metric.

    And of the cost: `seconds`, `seconds_low`, `seconds_high`: geometric mean of its trials and its 95 % t interval;
    seconds a trial is a member's share of its bundle, on the machine that trained it.
    """
    confirm = study_view.confirm_rows(study)
    complete = confirm[(confirm["state"] == "complete") & (confirm["cost.seconds"] > 0)]
    seconds = {str(arm): np.log(own.to_numpy(dtype=np.float64)) for arm, own in complete.groupby("arm")["cost.seconds"]}
    lines = []
    for row in rows:
        cell = row.cells.get(study.metric)
        if cell is None or not cell.n or row.arm not in seconds:
            continue
        cost = mean_interval(seconds[row.arm])
        lines.append(
            {
                "dataset": row.dataset,
                "arm": row.method if row.short == "baseline" else row.short,
                "method": row.method,
                "role": row.role,
                "mean": cell.mean,
                "low": cell.low,
                "high": cell.high,
                "seconds": math.exp(cost.mean),
                "seconds_low": math.exp(cost.low),
                "seconds_high": math.exp(cost.high),
            }
        )
    return pd.DataFrame(lines)


def front(seconds: Floats, values: Floats) -> NDArray[np.intp]:
    """Return the places of points that no other one beats at the same or a smaller cost, by growing cost."""
    order = np.lexsort([-values, seconds])
    best, kept = -math.inf, []
    for place in order:
        if values[place] > best:
            best = float(values[place])
            kept.append(place)
    return np.array(kept, dtype=np.intp)


def pareto_figures(study: StudyView, rows: Sequence[ArmRow]) -> list[Drawing]:
    """Return one figure a dataset whose arms differ in cost by more than WORTH_SHOWING."""
    table = costs(study, rows)
    found = []
    for dataset, own in table.groupby("dataset", sort=False) if len(table) else ():
        if len(own) >= 3 and own["seconds"].max() / own["seconds"].min() > WORTH_SHOWING:
            found.append(_figure(study, own.reset_index(drop=True), str(dataset)))
    return found


def _figure(study: StudyView, own: pd.DataFrame, dataset: str) -> Drawing:
    factor = scale(study.metric)
    figure, grid = canvas(1, 1, (7.2, 4.4))
    axes = grid[0][0]
    best = front(own["seconds"].to_numpy(dtype=np.float64), own["mean"].to_numpy(dtype=np.float64))
    line = own.iloc[best]
    axes.plot(line["seconds"], factor * line["mean"], steps=True, colour=GREY, width=1.2, order=1)
    named = set(own.index) if len(own) <= MOST_NAMED else set(best.tolist())
    for place, row in own.iterrows():
        on_front = place in set(best.tolist())
        colour = {"baseline": BLACK, "rival": PALETTE[3]}.get(str(row["role"]), PALETTE[0])
        if math.isfinite(row["low"]):
            axes.plot([row["seconds"]] * 2, [factor * row["low"], factor * row["high"]], "-", colour=colour, alpha=0.6)
        if math.isfinite(row["seconds_low"]):
            ends = [row["seconds_low"], row["seconds_high"]]
            axes.plot(ends, [factor * row["mean"]] * 2, "-", colour=colour, alpha=0.6)
        face = colour if on_front else "white"
        axes.plot([row["seconds"]], [factor * row["mean"]], "o", colour=colour, face=face, order=3)
        if place in named:
            axes.write(str(row["arm"]), row["seconds"], factor * row["mean"], shift=(5.0, 4.0), size=7)
    axes.x.be_logarithmic()
    axes.x_label = "seconds a trial (share of its bundle)"
    axes.y_label = label(study.metric)
    tidy(axes)
    caption = (
        f"{label(study.metric)} against cost on {dataset}: means with t intervals of both, over seeds; filled points "
        "are on the front (nothing cheaper is better). Seconds depend on the machine: their order says more than they."
    )
    key = key_of(dataset)
    return Drawing(f"pareto_{key}", f"{label(study.metric)} against cost on {dataset}", caption, figure)
