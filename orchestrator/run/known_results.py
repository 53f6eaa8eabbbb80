"""What is known of trials that need not be trained (again): by the ledger before the run, and by the run itself."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.ledger import Ledger
from orchestrator.plan.trials import TrialResult
from orchestrator.retry_policy import NEVER_TRIED_AGAIN
from orchestrator.row_table import METRIC
from orchestrator.trial import FailureKind, SeedBlock, TrialState

__all__ = ["KnownResults", "complete_results", "curves_of", "results_of_ledger"]


class KnownResults:
    """Results of trials by trial_id.

    Args:
        past: of the ledger, from before the run.
    """

    def __init__(self, past: Mapping[str, TrialResult] | None = None) -> None:
        self._past = dict(past or {})
        self._here: dict[str, TrialResult] = {}

    def get(self, trial_id: str) -> TrialResult | None:
        """Return what is known of a trial; None: it is to be trained."""
        return self._here.get(trial_id) or self._past.get(trial_id)

    def n_known(self, trial_ids: Iterable[str]) -> int:
        """Return how many of some trials are not to be trained."""
        return sum(self.get(trial_id) is not None for trial_id in trial_ids)

    def of_this_run(self, trial_id: str) -> TrialResult | None:
        """Return what this run knows of a trial; None: it has not ended in it."""
        return self._here.get(trial_id)

    def add(self, trial_id: str, result: TrialResult) -> None:
        """Take the result of a trial that ended in this run."""
        self._here[trial_id] = result

    def forget_complete(self, trial_id: str) -> None:
        """Forget a complete result of the past: something is wanted of the trial that only training makes."""
        past = self._past.get(trial_id)
        if past is not None and past.state is TrialState.COMPLETE and trial_id not in self._here:
            del self._past[trial_id]

    def forget_pruned(self, trial_id: str) -> None:
        """Forget a pruned result of the past: it is a hit for a search that prunes, and for nothing else."""
        past = self._past.get(trial_id)
        if past is not None and past.state is TrialState.PRUNED:
            del self._past[trial_id]


def results_of_ledger(
    ledger: Ledger,
    methods: Sequence[str],
    codes: Collection[str] | None,
    retry_failed: Collection[FailureKind],
    *,
    curves: bool,
) -> dict[str, TrialResult]:
    """Return what the ledger knows of trials of some methods that need not be trained again.

    Complete rows count (of the present code only, if `codes` are given), pruned ones too (a finite design asks for
    `complete`, see `Runner`), and failures that would only repeat themselves, unless their kind is to be retried.
    With `curves`, trials on search seeds come with theirs: what a search that prunes is told on a replay.
    """
    rows = ledger.table()
    rows = rows.filter(_is_in(rows["method"], methods))
    if codes is not None:
        rows = rows.filter(_is_in(rows["code_digest"], codes))
    final = (NEVER_TRIED_AGAIN | {FailureKind.OUT_OF_MEMORY}) - set(retry_failed)
    ended = pc.not_equal(rows["state"], str(TrialState.FAILED))
    kept = rows.filter(pc.or_(ended, _is_in(rows["failure_kind"], final)))
    searched = kept.filter(pc.equal(kept["seed_block"], str(SeedBlock.SEARCH))) if curves else kept[:0]
    return _results(kept, curves_of(ledger, searched["trial_id"].to_pylist()))


def complete_results(ledger: Ledger, trial_ids: Collection[str]) -> dict[str, TrialResult]:
    """Return what the ledger knows of those of some trials that are complete."""
    rows = ledger.table(only=trial_ids)
    return _results(rows.filter(pc.equal(rows["state"], str(TrialState.COMPLETE))), {})


def _is_in(column: pa.ChunkedArray, values: Collection[str]) -> pa.ChunkedArray:
    return pc.is_in(column, value_set=pa.array(map(str, values), pa.string()))


def _results(rows: pa.Table, curves: Mapping[str, Mapping[int, Mapping[str, float]]]) -> dict[str, TrialResult]:
    columns = [rows[name].to_pylist() for name in ("trial_id", "state", "collapsed", "stages", "failure_kind")]
    found = {}
    for trial_id, state, collapsed, stages, kind, metrics in zip(*columns, _metrics(rows), strict=True):
        told, curve = stages or "", curves.get(trial_id, {})  # null: from before stages were recorded
        found[trial_id] = TrialResult(TrialState(state), bool(collapsed), metrics, curve, told, kind or "")
    return found


def _metric_columns(rows: pa.Table) -> list[str]:
    return [name for name in rows.column_names if name.startswith(METRIC)]


def _metrics(rows: pa.Table) -> list[dict[str, float]]:
    """Return the metrics of each row that are numbers."""
    found: list[dict[str, float]] = [{} for _ in range(len(rows))]
    for column in _metric_columns(rows):
        name = column.removeprefix(METRIC)
        for metrics, value in zip(found, rows[column].to_pylist(), strict=True):
            if _is_number(value):
                metrics[name] = value
    return found


def _is_number(value: float | None) -> bool:
    return value is not None and not math.isnan(value)


def curves_of(ledger: Ledger, trial_ids: Sequence[str]) -> dict[str, dict[int, Mapping[str, float]]]:
    """Return trial_id -> epoch -> metrics of some trials: the curves that pruned trials are told with."""
    if not trial_ids:
        return {}
    epochs = ledger.epoch_table(trial_ids)
    columns = _metric_columns(epochs)
    found: dict[str, dict[int, Mapping[str, float]]] = {}
    for row in epochs.select(["trial_id", "epoch", *columns]).to_pylist():
        values = {}
        for column in columns:
            values[column.removeprefix(METRIC)] = math.nan if row[column] is None else float(row[column])
        found.setdefault(row["trial_id"], {})[int(row["epoch"])] = values
    return found
