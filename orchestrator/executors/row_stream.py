"""Rows of one bundle on their way from a worker to the ledger: Arrow tables, in the order in which they came."""

from __future__ import annotations

import math
from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["METRIC", "Rows"]

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
