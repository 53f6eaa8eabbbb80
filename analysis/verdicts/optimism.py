"""Oracle optimism of a study in sentences: what choosing epochs or configurations by labels would have added.

The arithmetic is in `orchestrator.inference.optimism`; here the ledger's rows are laid out for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.number_format import name, number, signed, span, unit
from orchestrator.inference.optimism import optimism_of_configurations
from orchestrator.inference.sign_flip import Interval, sign_flip_interval

__all__ = ["Gain", "optimism"]


@dataclass(frozen=True)
class Gain:
    """What labels would have added: in units of the metric, with an interval, and as a sentence."""

    about: str
    """`epochs` or `configurations`."""
    where: str
    gain: float
    interval: Interval
    sentence: str


def optimism(study: StudyView, epochs: pd.DataFrame) -> list[Gain]:
    """Return the oracle optimism of epochs (confirm trials) and of configurations (each search).

    Args:
        study: the view.
        epochs: evaluations of the complete confirm trials (`frame.epochs_of`).
    """
    found = [_of_epochs(study, epochs), *(_of_configurations(study, one) for one in study.record.get("searches", ()))]
    return [one for one in found if one is not None]


def _of_epochs(study: StudyView, epochs: pd.DataFrame) -> Gain | None:
    """Best epoch by labels minus the last one, averaged over arms within each seed: arms share their seeds."""
    metric, column = study.metric, f"metric.{study.metric}"
    if epochs.empty or column not in epochs.columns:
        return None
    measured = epochs.dropna(subset=[column]).sort_values("epoch").drop_duplicates(["trial_id", "epoch"])
    trials = measured.groupby("trial_id").agg(
        best=(column, "max"), last=(column, "last"), count=(column, "count"), seed=("seed", "first")
    )
    trials = trials[trials["count"] > 1]
    if trials.empty:
        return None
    gains = (trials["best"] - trials["last"]).groupby(trials["seed"]).mean().to_numpy(dtype=float)
    interval = sign_flip_interval(gains)
    sentence = (
        f"Epochs: reporting each trial's best epoch by labels instead of the last would have added "
        f"{number(float(gains.mean()), metric)}{unit(metric)} of {name(metric)} on average "
        f"({_interval(interval, metric)}; {len(trials)} trials over {len(gains)} seeds)."
    )
    return Gain("epochs", "confirm trials", float(gains.mean()), interval, sentence)


def _of_configurations(study: StudyView, search: Mapping[str, Any]) -> Gain | None:
    """Best configuration by labels minus the chosen one, on the search seeds."""
    metric, column = study.metric, f"metric.{study.metric}"
    chosen = search.get("chosen_number")
    searched = study_view.search_rows(study, search)
    searched = searched[searched["state"] == "complete"]
    if chosen is None or column not in searched.columns:
        return None
    table = searched.pivot_table(index="configuration", columns="seed", values=column).dropna()
    numbers = [int(number) for number in table.index]
    if chosen not in numbers:
        return None
    found = optimism_of_configurations(table.to_numpy(dtype=float), numbers.index(chosen))
    assert found.oracle is not None  # configurations always have one
    where = f"{search['method']} on {search['dataset']}"
    lead = f"Configurations of {where}: labels would have picked"
    if numbers[found.oracle] == chosen:
        sentence = f"{lead} the same one of {len(numbers)}: number {chosen}."
    else:
        crossed = (
            f"; {signed(found.crossed_gain, metric)} on seeds that did not choose"
            if math.isfinite(found.crossed_gain)
            else ""
        )
        sentence = (
            f"{lead} number {numbers[found.oracle]} of {len(numbers)} instead of {chosen} (by {search['rules'][0]}): "
            f"{signed(found.gain, metric)}{unit(metric)} of {name(metric)} on the search seeds "
            f"({_interval(found.interval, metric)}){crossed}."
        )
    return Gain("configurations", where, found.gain, found.interval, sentence)


def _interval(interval: Interval, metric: str) -> str:
    confidence = f"{100 * interval.confidence:g} % interval"
    if not interval.attainable:
        return f"too few seeds for a {confidence}"
    return f"{confidence} {span(interval.low, interval.high, metric)}"
