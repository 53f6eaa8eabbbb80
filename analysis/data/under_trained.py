"""Whether training had come to rest: arms whose metric still moved at the end."""

from __future__ import annotations

import pandas as pd

from analysis.data.study_view import StudyView
from analysis.number_format import join, name, signed, unit

__all__ = ["n_under_trained", "under_trained", "under_trained_sentence"]

MOVED = 0.01
"""Mean change of an arm over the last fifth of training from which it counts as under-trained: 1 point.

The mean over its trials, since a single trial goes up and down by as much when all is at rest.
"""
ENOUGH = 5
"""Evaluations below which nothing is known: there is no last fifth."""


def under_trained(epochs: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return, per arm, what it changed by over the last fifth of its epochs, and how many trials by more than `MOVED`.

    Args:
        epochs: evaluations with `trial_id`, `arm`, `epoch` and the metric's column.
        metric: a metric within [0, 1].

    Returns:
        Index arm: `moved` (the mean over its trials), `moving`, `trials`; trials with fewer than `ENOUGH` evaluations
        are left out, as nothing is known.
    """
    column = f"metric.{metric}"
    if epochs.empty or column not in epochs:
        return pd.DataFrame({"moved": [], "moving": [], "trials": []}).astype({"moving": int, "trials": int})
    rows = epochs.dropna(subset=[column]).sort_values("epoch")
    trials = rows.groupby("trial_id")
    rows = rows[trials["epoch"].transform("count") >= ENOUGH]
    early = rows[rows["epoch"] <= 0.8 * rows.groupby("trial_id")["epoch"].transform("max")]
    change = rows.groupby("trial_id")[column].last() - early.groupby("trial_id")[column].last()
    arms = rows.drop_duplicates(["trial_id", "arm"]).set_index("trial_id")["arm"]
    moved = change.reindex(arms.index).groupby(arms.to_numpy())
    moving = (change.abs() > MOVED).reindex(arms.index).groupby(arms.to_numpy())
    return pd.DataFrame({"moved": moved.mean(), "moving": moving.sum().astype(int), "trials": moving.size()})


def n_under_trained(study: StudyView, epochs: pd.DataFrame) -> int:
    """Return how many arms were still moving."""
    return len(_still_moving(_of_study(study, epochs)))


def under_trained_sentence(study: StudyView, epochs: pd.DataFrame) -> str:
    """Return which arms were still moving, and of which nothing is known; empty if there are none of either."""
    metric = _metric(study)
    table = _of_study(study, epochs)
    moving = _still_moving(table)
    said = []
    if len(moving):
        arms = [
            f"{arm} ({signed(row['moved'], metric)}; {row['moving']:.0f} of {row['trials']:.0f})"
            for arm, row in moving.iterrows()
        ]
        said.append(
            f"Under-trained: over the last fifth of training the mean {name(metric)} still moved by more than 1 point "
            f"in {_listed(arms)}; beside each, by how many points, and how many trials moved by more than 1."
        )
    unknown = [] if epochs.empty else [str(arm) for arm in pd.unique(epochs["arm"]) if arm not in table.index]
    if unknown:
        said.append(
            f"Whether training had come to rest is unknown for {_listed(unknown)}: fewer than {ENOUGH} evaluations "
            f"of {name(metric)}."
        )
    return " ".join(said)


def _of_study(study: StudyView, epochs: pd.DataFrame) -> pd.DataFrame:
    """Return `under_trained`, made once of a view's evaluations, which stay alive so that no others have their id."""
    return study.once(("under_trained", id(epochs)), lambda: (epochs, under_trained(epochs, _metric(study))))[1]


def _still_moving(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["moved"].abs() > MOVED]


def _metric(study: StudyView) -> str:
    return study.metric if unit(study.metric) else "nmi"  # a point means nothing on another scale


def _listed(arms: list[str]) -> str:
    return join(arms if len(arms) <= 12 else [*arms[:11], f"{len(arms) - 11} other arms"])
