"""Oracle optimism of a study in sentences: what choosing epochs or configurations by labels would have added.

The arithmetic is in `orchestrator.inference.optimism`; here the ledger's rows are laid out for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.number_format import name, number, signed, span, unit
from orchestrator import discovery
from orchestrator.inference.objectives import recorded_objectives
from orchestrator.inference.optimism import FEWEST_SEEDS, CrossedGain, best_minus_chosen, crossed_gain
from orchestrator.inference.selection import is_oracle

__all__ = ["Gain", "of_search", "optimism"]


@dataclass(frozen=True)
class Gain:
    """What labels would have added, on seeds on which neither they nor the rule chose, and as a sentence."""

    about: str
    """`epochs` or `configurations`."""
    where: str
    gain: float
    """In units of the metric; nan: too few seeds to say."""
    sentence: str


def optimism(study: StudyView, epochs: pd.DataFrame) -> list[Gain]:
    """Return the oracle optimism of epochs (confirm trials) and of configurations (each search).

    Args:
        study: the view.
        epochs: evaluations of the complete confirm trials (`study_view.epochs_of`).

    Returns:
        Nothing for a metric that reads no labels, or of which a larger value is not better.
    """
    facts = discovery.metric(study.metric)
    if not (facts.reads_labels and facts.larger_is_better):
        return []
    found = [_of_epochs(study, epochs), *(_of_configurations(study, one) for one in study.record.get("searches", ()))]
    return [one for one in found if one is not None]


def _of_epochs(study: StudyView, epochs: pd.DataFrame) -> Gain | None:
    """An epoch chosen by labels for an arm on half of the seeds, minus the last one, on the other half."""
    metric, column = study.metric, f"metric.{study.metric}"
    if epochs.empty or column not in epochs.columns:
        return None
    measured = epochs.dropna(subset=[column]).drop_duplicates(["trial_id", "epoch"])
    found, noisy, n_trials = [], [], 0
    by_arm = measured.astype({"arm": str}).pivot_table(index="epoch", columns=["arm", "seed"], values=column)
    for arm in measured["arm"].astype(str).unique():
        curves = by_arm[arm].dropna(how="all").dropna(axis="columns")
        if len(curves) < 2 or not len(curves.columns):
            continue
        table = curves.to_numpy(dtype=float)
        n_trials += table.shape[1]
        noisy.append(float(np.mean(best_minus_chosen(table.T, [len(table) - 1] * table.shape[1]))))
        found.append(crossed_gain(table, np.broadcast_to(np.arange(len(table), dtype=float)[:, None], table.shape)))
    if not found:
        return None
    by_trial, unit_, called = float(np.mean(noisy)), unit(metric), name(metric)
    known = [one for one in found if one.n_splits]
    lead = (
        f"Epochs: the best evaluation of a trial by labels lies {number(by_trial, metric)}{unit_} of {called} above "
        "its last one on average, which a flat curve with noise does too"
    )
    if not known:
        few = f"{lead}; to tell them apart takes {FEWEST_SEEDS} seeds an arm."
        return Gain("epochs", "confirm trials", math.nan, few)
    gains = [one.gain for one in known]
    gain = float(np.mean(gains))
    sentence = (
        f"{lead}. Beyond noise: an epoch that labels choose for an arm on half of its seeds adds {signed(gain, metric)}"
        f"{unit_} on the other half ({_range(gains, metric)} over {len(known)} arms, {n_trials} trials)."
    )
    return Gain("epochs", "confirm trials", gain, sentence)


def _range(values: list[float], metric: str) -> str:
    return span(min(values), max(values), metric)


def _of_configurations(study: StudyView, search: Mapping[str, Any]) -> Gain | None:
    """Configurations that labels and the rule choose on half of the search seeds, compared on the other half."""
    metric, rule = study.metric, str(search["rules"][0])
    found = of_search(study, search)
    if found is None:
        return None
    where = f"{search['method']} on {search['dataset']}"
    lead = f"Configurations of {where}: what labels would have added to {rule}"
    if not found.n_splits:
        n_seeds = len(found.gains)
        why = f"there are {n_seeds} search seeds" if n_seeds < FEWEST_SEEDS else "the rule drops every configuration"
        sentence = f"{lead} is not given: both must choose on one half of {FEWEST_SEEDS} seeds or more, and {why}."
        return Gain("configurations", where, math.nan, sentence)
    sentence = (
        f"{lead} if both choose on half of the {len(found.gains)} search seeds: {signed(found.gain, metric)}"
        f"{unit(metric)} of {name(metric)} on the other half ({_range(list(found.gains), metric)} over the seeds; they "
        f"chose the same in {100 * found.agree:.0f} % of {found.n_splits} splits)."
    )
    return Gain("configurations", where, found.gain, sentence)


def of_search(study: StudyView, search: Mapping[str, Any]) -> CrossedGain | None:
    """Return what labels would have added to a search's rule; None where trials lack its metric or the study's."""
    if is_oracle(str(search["rules"][0])):
        return None
    objective, column = recorded_objectives(search)[0], f"metric.{study.metric}"
    goes_by = f"metric.{objective.metric}"
    rows = study_view.search_rows(study, search)
    rows = rows[rows["state"] == "complete"]
    if rows.empty or not {column, goes_by} <= set(rows.columns):
        return None
    measured = rows.pivot_table(index="configuration", columns="seed", values=column)
    whole = measured.dropna()

    def beside(name: str) -> NDArray[np.float64]:
        """Return a column of the configurations that labels measured on every seed, (configurations, seeds)."""
        table = rows.pivot_table(index="configuration", columns="seed", values=name)
        return table.reindex(index=whole.index, columns=whole.columns).to_numpy(dtype=float)

    external, score, gone = whole.to_numpy(dtype=float), beside(goes_by), beside("collapsed")
    return crossed_gain(external, objective.sign * score, ~(gone > 0))
