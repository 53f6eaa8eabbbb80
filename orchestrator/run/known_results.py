"""Rows on their way to the ledger, and what the ledger already knows, in the form that phases ask for."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from orchestrator.executors.row_stream import METRIC
from orchestrator.ledger import Ledger
from orchestrator.retry_policy import POLICIES
from orchestrator.search.phase import Settled
from orchestrator.trial import FailureKind, SeedBlock, TrialState

__all__ = ["curves_of", "settled_rows", "settled_view"]


def settled_rows(
    ledger: Ledger,
    methods: Sequence[str],
    codes: Collection[str] | None,
    retry_failed: Collection[FailureKind],
    *,
    curves: bool,
) -> dict[str, Settled]:
    """Return what the ledger knows of trials of some methods that need not be trained again.

    Complete rows count (of the present code only, if `codes` are given), pruned ones too (a finite design asks for
    `complete`, see `Runner`), and failures that would only repeat themselves, unless their kind is to be retried.
    With `curves`, trials on search seeds come with theirs: what a search that prunes is told on a replay.
    """
    frame = ledger.trials()
    if frame.empty:
        return {}
    frame = frame[frame["method"].isin(methods)]
    if codes is not None:
        frame = frame[frame["code_digest"].isin(codes)]
    final = {kind for kind, policy in POLICIES.items() if policy.attempts == 1 or kind is FailureKind.OUT_OF_MEMORY}
    final -= set(retry_failed)
    keep = (frame["state"] != TrialState.FAILED) | frame["failure_kind"].isin([str(kind) for kind in final])
    searched = frame[keep & (frame["seed_block"] == SeedBlock.SEARCH)] if curves else frame[:0]
    return _settled(frame[keep], curves_of(ledger, searched["trial_id"].tolist()))


def settled_view(rows: pd.DataFrame) -> dict[str, Settled]:
    """Return the complete rows of a read view by trial_id."""
    return _settled(rows[rows["state"] == TrialState.COMPLETE], {}) if len(rows) else {}


def _settled(frame: pd.DataFrame, curves: Mapping[str, Mapping[int, Mapping[str, float]]]) -> dict[str, Settled]:
    columns = [column for column in frame.columns if column.startswith(METRIC)]
    names = [column.removeprefix(METRIC) for column in columns]
    found = {}
    keys = (frame[name] for name in ("trial_id", "state", "collapsed", "stages"))
    for trial_id, state, collapsed, stages, *values in zip(*keys, *(frame[column] for column in columns), strict=True):
        metrics = {name: float(value) for name, value in zip(names, values, strict=True) if not math.isnan(value)}
        told = stages if isinstance(stages, str) else ""  # null: from before stages were recorded
        found[trial_id] = Settled(TrialState(state), bool(collapsed), metrics, curves.get(trial_id, {}), told)
    return found


def curves_of(ledger: Ledger, trial_ids: Sequence[str]) -> dict[str, dict[int, Mapping[str, float]]]:
    """Return trial_id -> epoch -> metrics of some trials: the curves that pruned trials are told with."""
    if not trial_ids:
        return {}
    epochs = ledger.epochs(trial_ids)
    columns = [column for column in epochs.columns if column.startswith(METRIC)]
    found: dict[str, dict[int, Mapping[str, float]]] = {}
    for row in epochs.to_dict("records"):
        values = {column.removeprefix(METRIC): float(row[column]) for column in columns}
        found.setdefault(row["trial_id"], {})[int(row["epoch"])] = values
    return found
