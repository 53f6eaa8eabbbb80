"""Rows of one bundle as Arrow tables: the one container between the method that measures and the ledger.

A worker fills it, its stream travels, the driver reads it; it has the form of the ledger's epochs table.

Columns: trial_id (string), attempt (int32), epoch (int32, from 1), seconds (float64: the member's share of wall time
until then), and a float64 column for each name that any row has; null where a row lacks it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.trial import Bundle

__all__ = ["METRIC", "RowTable", "from_stream"]

METRIC = "metric."


class RowTable:
    """Every row that a bundle's members have so far."""

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []

    def measured(
        self, bundle: Bundle, members: Sequence[int], epoch: int, seconds: Sequence[float], rows: Sequence[Row]
    ) -> bytes:
        """Take what a method measured of `members` after `epoch`; returns these rows as a stream (empty: none).

        Args:
            bundle: whose members they are.
            members: their places in the bundle, in the order of `rows`.
            epoch: from 1.
            seconds: share of wall time until now, for each member of the bundle.
            rows: one for each of `members`.
        """
        if not members:
            return b""
        names = dict.fromkeys(chain.from_iterable(rows))  # in order
        keys = [(bundle.specs[member].trial_id, bundle.attempt(member), seconds[member]) for member in members]
        trial_ids, attempts, shares = zip(*keys, strict=True)
        columns = {
            "trial_id": pa.array(trial_ids, pa.string()),
            "attempt": pa.array(attempts, pa.int32()),
            "epoch": pa.array([epoch] * len(members), pa.int32()),
            "seconds": pa.array(shares, pa.float64()),
        }
        for name in names:
            columns[name] = pa.array([row.get(name) for row in rows], pa.float64())
        self._tables.append(pa.table(columns))
        return _stream(self._tables[-1])

    def add(self, stream: bytes) -> None:
        """Take up the rows of a stream (empty: none)."""
        if stream:
            self._tables.append(from_stream(stream))

    def take_up(self, stream: bytes, bundle: Bundle) -> None:
        """Replace all rows by those of an earlier attempt, under the attempt numbers that the bundle has now."""
        if not stream:
            return
        table = from_stream(stream)
        numbers = {spec.trial_id: bundle.attempt(member) for member, spec in enumerate(bundle.specs)}
        attempts = pa.array([numbers[name] for name in table["trial_id"].to_pylist()], pa.int32())
        self._tables = [table.set_column(table.column_names.index("attempt"), "attempt", attempts)]

    def forget(self, trial_ids: Collection[str]) -> None:
        """Drop every row of some trials: they are trained again."""
        if self._tables:
            table = self._whole()
            gone = pa.array(sorted(trial_ids), pa.string())
            self._tables = [table.filter(pc.invert(pc.is_in(table["trial_id"], value_set=gone)))]

    def clear(self) -> None:
        """Drop all rows: the worker repeats them."""
        self._tables = []

    def stream(self) -> bytes:
        """Return all rows as an Arrow IPC stream (empty without rows)."""
        table = self._whole() if self._tables else None
        return b"" if table is None or table.num_rows == 0 else _stream(table)

    def of(self, trial_ids: Collection[str]) -> pa.Table | None:
        """Return the rows of some trials; None if there are none."""
        if not self._tables:
            return None
        table = self._whole()
        if set(pc.unique(table["trial_id"]).to_pylist()) <= set(trial_ids):
            return table
        return table.filter(pc.is_in(table["trial_id"], pa.array(sorted(trial_ids), pa.string())))

    def latest(self, trial_id: str) -> Row:
        """Return the last row of a trial without its keys; empty if it has none."""
        for table in reversed(self._tables):
            found = table.filter(pc.equal(table["trial_id"], trial_id))
            if found.num_rows:
                row = found.slice(found.num_rows - 1).to_pylist()[0]
                return {name: value for name, value in row.items() if "." in name and value is not None}
        return {}

    def seconds(self, trial_id: str) -> list[float]:
        """Return a trial's share of the time after each of its evaluations."""
        table = self.of({trial_id})
        if table is None:
            return []
        own = table.filter(pc.equal(table["trial_id"], trial_id)).sort_by("epoch")
        return list(map(float, own["seconds"].to_pylist()))

    def curves(self, metric: str) -> dict[str, dict[int, float]]:
        """Return trial_id -> epoch -> value of a metric."""
        found: dict[str, dict[int, float]] = {}
        for table in self._tables:
            if METRIC + metric in table.column_names:
                columns = table.select(["trial_id", "epoch", METRIC + metric]).to_pydict()
                for trial_id, epoch, value in zip(*columns.values(), strict=True):
                    found.setdefault(trial_id, {})[epoch] = math.nan if value is None else value
        return found

    def _whole(self) -> pa.Table:
        return pa.concat_tables(self._tables, promote_options="default")


Row = Mapping[str, float]
"""One evaluation of a member: metric.<name> and diagnostic.<name> -> value."""


def from_stream(stream: bytes) -> pa.Table:
    """Return the table of an Arrow IPC stream."""
    with pa.ipc.open_stream(stream) as reader:
        return reader.read_all()


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content
