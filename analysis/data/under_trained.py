"""Whether training had come to rest: trials whose metric still moved at the end, named by arm."""

from __future__ import annotations

import pandas as pd

from analysis.data.study_view import StudyView
from analysis.number_format import join, name, unit

__all__ = ["n_under_trained", "under_trained", "under_trained_sentence"]

MOVED = 0.01
"""Change over the last fifth of training from which a trial counts as under-trained: 1 point."""
ENOUGH = 5
"""Evaluations below which nothing is known: there is no last fifth."""


def under_trained(epochs: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return, per arm, how many trials changed by more than `MOVED` over the last fifth of their epochs.

    Args:
        epochs: evaluations with `trial_id`, `arm`, `epoch` and the metric's column.
        metric: a metric within [0, 1].

    Returns:
        Index arm: `moving`, `trials`; trials with fewer than `ENOUGH` evaluations are left out, as nothing is known.
    """
    column = f"metric.{metric}"
    if epochs.empty or column not in epochs:
        return pd.DataFrame({"moving": [], "trials": []}, dtype=int)
    rows = epochs.dropna(subset=[column]).sort_values("epoch")
    trials = rows.groupby("trial_id")
    rows = rows[trials["epoch"].transform("count") >= ENOUGH]
    early = rows[rows["epoch"] <= 0.8 * rows.groupby("trial_id")["epoch"].transform("max")]
    change = rows.groupby("trial_id")[column].last() - early.groupby("trial_id")[column].last()
    arms = rows.drop_duplicates(["trial_id", "arm"]).set_index("trial_id")["arm"]
    moving = (change.abs() > MOVED).reindex(arms.index)
    grouped = moving.groupby(arms.to_numpy())
    return pd.DataFrame({"moving": grouped.sum().astype(int), "trials": grouped.size()})


def n_under_trained(study: StudyView, epochs: pd.DataFrame) -> int:
    """Return how many confirm trials were still moving; a trial that several arms share counts once."""
    once = epochs.drop_duplicates(["trial_id", "epoch"]) if len(epochs) else epochs
    return int(under_trained(once, _metric(study))["moving"].sum())


def under_trained_sentence(study: StudyView, epochs: pd.DataFrame) -> str:
    """Return which arms were still moving, and of which nothing is known; empty if there are none of either."""
    metric = _metric(study)
    table = under_trained(epochs, metric)
    moving = table[table["moving"] > 0]
    said = []
    if len(moving):
        arms = [f"{arm} ({row['moving']} of {row['trials']})" for arm, row in moving.iterrows()]
        said.append(
            f"Under-trained: {name(metric)} still moved by more than 1 point over the last fifth of training in trials "
            f"of {_listed(arms)}."
        )
    unknown = [] if epochs.empty else [str(arm) for arm in pd.unique(epochs["arm"]) if arm not in table.index]
    if unknown:
        said.append(
            f"Whether training had come to rest is unknown for {_listed(unknown)}: fewer than {ENOUGH} evaluations "
            f"of {name(metric)}."
        )
    return " ".join(said)


def _metric(study: StudyView) -> str:
    return study.metric if unit(study.metric) else "nmi"  # a point means nothing on another scale


def _listed(arms: list[str]) -> str:
    return join(arms if len(arms) <= 12 else [*arms[:11], f"{len(arms) - 11} other arms"])
