"""Oracle optimism: what choosing epochs or configurations by labels would have added to what was reported."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis import frame
from analysis.frame import StudyView
from analysis.tables import Cell, mean_interval
from analysis.units import name, number, signed, unit

__all__ = ["Optimism", "optimism"]


@dataclass(frozen=True)
class Optimism:
    """The gain of one oracle: `gain` over what the study's rule chose, in units of the metric."""

    about: str
    """`epochs` or `configurations`."""
    where: str
    gain: Cell
    sentence: str


def optimism(study: StudyView, epochs: pd.DataFrame) -> list[Optimism]:
    """Return the oracle optimism of epochs (confirm trials) and of configurations (each search).

    Args:
        study: the view.
        epochs: evaluations of the complete confirm trials (`frame.epochs_of`).
    """
    found = [*_of_epochs(study, epochs)]
    for search in study.record.get("searches", ()):
        one = _of_configurations(study, search)
        if one is not None:
            found.append(one)
    return found


def _of_epochs(study: StudyView, epochs: pd.DataFrame) -> list[Optimism]:
    """Best epoch by labels minus the last one, per trial; the reported epoch is always the last."""
    metric, column = study.metric, f"metric.{study.metric}"
    if epochs.empty or column not in epochs.columns:
        return []
    ordered = epochs.dropna(subset=[column]).sort_values("epoch").drop_duplicates(["trial_id", "epoch"])
    trials = ordered.groupby("trial_id", sort=True)
    gain = (trials[column].max() - trials[column].last())[trials[column].count() > 1]
    if gain.empty:
        return []
    cell = mean_interval(gain.to_numpy(dtype=np.float64))
    sentence = (
        f"Epochs: choosing each trial's best epoch by labels instead of the last would have added "
        f"{number(cell.mean, metric)}{unit(metric)} of {name(metric)} on average "
        f"({_interval(cell, metric)}; {cell.n} trials)."
    )
    return [Optimism("epochs", "confirm trials", cell, sentence)]


def _of_configurations(study: StudyView, search: Mapping[str, Any]) -> Optimism | None:
    """Best configuration by labels minus the chosen one, paired over the search seeds."""
    metric, column = study.metric, f"metric.{study.metric}"
    chosen = search.get("chosen_number")
    searched = frame.search_rows(study, search)
    searched = searched[searched["state"] == "complete"]
    if chosen is None or column not in searched.columns:
        return None
    table = searched.pivot_table(index="configuration", columns="seed", values=column).dropna()
    numbers, values = [int(number) for number in table.index], table.to_numpy(dtype=np.float64)
    if chosen not in numbers:
        return None
    best = numbers[int(values.mean(axis=1).argmax())]
    cell = mean_interval(values[numbers.index(best)] - values[numbers.index(chosen)])
    rules = search.get("rules") or ["neighbour_mi"]
    where = f"{search['method']} on {search['dataset']}"
    how = "the same configuration" if best == chosen else f"configuration {best}"
    sentence = (
        f"Configurations of {where}: labels would have picked {how} instead of {chosen} (chosen by "
        f"{rules[0]}): {signed(cell.mean, metric)}{unit(metric)} of {name(metric)} on the search seeds "
        f"({_interval(cell, metric)}; the best of {len(table)} looked at, so biased upwards)."
    )
    if best == chosen:
        sentence = f"Configurations of {where}: labels would have picked the same one of {len(table)}."
    return Optimism("configurations", where, cell, sentence)


def _interval(cell: Cell, metric: str) -> str:
    if math.isnan(cell.low):
        return f"no interval from {cell.n} seed"
    return f"95 % t interval {number(cell.low, metric)} to {number(cell.high, metric)}"
