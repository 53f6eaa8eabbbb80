"""Rows on their way to the ledger, and what the ledger already knows, in the form that phases ask for."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.failures import POLICIES
from orchestrator.ledger import Ledger
from orchestrator.phases import Settled
from orchestrator.trial import FailureKind, SeedBlock, TrialState

__all__ = ["Rows", "curves_of", "settled_rows", "settled_view"]

METRIC = "metric."


class Rows:
    """The evaluations of one bundle under way, as the Arrow tables that its worker sent."""

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []

    def add(self, stream: bytes) -> None:
        """Take up the rows of a report (an Arrow IPC stream; empty bytes: none)."""
        if stream:
            self._tables.append(pa.ipc.open_stream(stream).read_all())

    def clear(self) -> None:
        """Forget all rows: the worker repeats them."""
        self._tables = []

    def of(self, trial_ids: Collection[str]) -> pa.Table | None:
        """Return the rows of some trials; None if there are none."""
        if not self._tables:
            return None
        table = pa.concat_tables(self._tables, promote_options="default")
        if set(pc.unique(table["trial_id"]).to_pylist()) <= set(trial_ids):
            return table
        return table.filter(pc.is_in(table["trial_id"], pa.array(sorted(trial_ids), pa.string())))

    def seconds(self, trial_id: str) -> list[float]:
        """Return a trial's share of the time after each of its evaluations."""
        table = self.of({trial_id})
        if table is None:
            return []
        own = table.filter(pc.equal(table["trial_id"], trial_id)).sort_by("epoch")
        return [float(value) for value in own["seconds"].to_pylist()]

    def curves(self, metric: str) -> dict[str, dict[int, float]]:
        """Return trial_id -> epoch -> value of a metric."""
        found: dict[str, dict[int, float]] = {}
        for table in self._tables:
            if METRIC + metric in table.column_names:
                columns = (table["trial_id"], table["epoch"], table[METRIC + metric])
                for trial_id, epoch, value in zip(*(column.to_pylist() for column in columns), strict=True):
                    found.setdefault(trial_id, {})[epoch] = math.nan if value is None else value
        return found


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
