"""Whether training had come to rest: trials whose metric still moved at the end, named by arm."""

from __future__ import annotations

import pandas as pd

from analysis.frame import StudyView
from analysis.units import join, name, unit

__all__ = ["under_trained", "under_trained_sentence"]

MOVED = 0.01
"""Change over the last fifth of training from which a trial counts as under-trained: 1 point."""


def under_trained(epochs: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return, per arm, how many trials changed by more than `MOVED` over the last fifth of their epochs.

    Args:
        epochs: evaluations with `trial_id`, `arm`, `epoch` and the metric's column.
        metric: a metric within [0, 1].

    Returns:
        Index arm: `moving`, `trials`; trials with fewer than five evaluations are left out, as nothing is known.
    """
    column = f"metric.{metric}"
    if epochs.empty or column not in epochs:
        return pd.DataFrame({"moving": [], "trials": []}, dtype=int)
    rows = epochs.dropna(subset=[column]).sort_values("epoch")
    trials = rows.groupby("trial_id")
    rows = rows[trials["epoch"].transform("count") >= 5]
    early = rows[rows["epoch"] <= 0.8 * rows.groupby("trial_id")["epoch"].transform("max")]
    change = rows.groupby("trial_id")[column].last() - early.groupby("trial_id")[column].last()
    arms = rows.drop_duplicates(["trial_id", "arm"]).set_index("trial_id")["arm"]
    moving = (change.abs() > MOVED).reindex(arms.index)
    grouped = moving.groupby(arms.to_numpy())
    return pd.DataFrame({"moving": grouped.sum().astype(int), "trials": grouped.size()})


def under_trained_sentence(study: StudyView, epochs: pd.DataFrame) -> str:
    """Return which arms were still moving; empty if none was."""
    if not unit(study.metric):  # a point means nothing on another scale
        return ""
    table = under_trained(epochs, study.metric)
    table = table[table["moving"] > 0]
    if table.empty:
        return ""
    arms = [f"{arm} ({row['moving']} of {row['trials']})" for arm, row in table.iterrows()]
    shown = arms if len(arms) <= 12 else [*arms[:11], f"{len(arms) - 11} other arms"]
    return (
        f"Under-trained: {name(study.metric)} still moved by more than 1 point over the last fifth of training in "
        f"trials of {join(shown)}."
    )
