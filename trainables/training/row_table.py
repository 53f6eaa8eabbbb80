"""Rows of a bundle as Arrow tables in the form of the ledger's epochs table; what the columns mean is not said here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.trial import Bundle
from trainables.method import Row

__all__ = ["RowTable", "from_bytes", "to_bytes"]


class RowTable:
    """Every row that a bundle's members have so far; a bundle goes on, and is reported again, from this.

    Columns: trial_id (string), attempt (int32), epoch (int32, from 1), seconds (float64: the member's share of wall
    time until then), and a float64 column for each name that any row has; null where a row lacks it.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.ids = [spec.trial_id for spec in bundle.specs]
        self.attempts = [bundle.attempt(member) for member in range(len(bundle))]
        self.tables: list[pa.Table] = []

    def add(self, members: Sequence[int], epoch: int, seconds: Sequence[float], rows: Sequence[Row]) -> bytes:
        """Take the rows of `members` after `epoch`; returns them as an Arrow IPC stream (empty without rows)."""
        if not members:
            return b""
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = {
            "trial_id": pa.array([self.ids[member] for member in members], pa.string()),
            "attempt": pa.array([self.attempts[member] for member in members], pa.int32()),
            "epoch": pa.array([epoch] * len(members), pa.int32()),
            "seconds": pa.array([seconds[member] for member in members], pa.float64()),
        }
        columns |= {name: pa.array([row.get(name) for row in rows], pa.float64()) for name in names}
        self.tables.append(pa.table(columns))
        return to_bytes(self.tables[-1])

    def forget(self, members: Sequence[int]) -> None:
        """Drop every row of `members`: they are trained again."""
        if not self.tables:
            return
        gone = pa.array([self.ids[member] for member in members], pa.string())
        table = self._whole()
        self.tables = [table.filter(pc.invert(pc.is_in(table["trial_id"], value_set=gone)))]

    def everything(self) -> bytes:
        """Return all rows as an Arrow IPC stream (empty without rows)."""
        table = self._whole() if self.tables else None
        return b"" if table is None or table.num_rows == 0 else to_bytes(table)

    def take_up(self, stream: bytes) -> None:
        """Take up the rows of `everything` of an earlier attempt, under this bundle's attempt numbers."""
        if not stream:
            return
        table = from_bytes(stream)
        numbers: Mapping[str, int] = dict(zip(self.ids, self.attempts, strict=True))
        attempts = pa.array([numbers[name] for name in table["trial_id"].to_pylist()], pa.int32())
        self.tables = [table.set_column(table.column_names.index("attempt"), "attempt", attempts)]

    def latest(self, member: int) -> Row:
        """Return the last row of a member without its keys; empty if it has none."""
        for table in reversed(self.tables):
            found = table.filter(pc.equal(table["trial_id"], self.ids[member]))
            if found.num_rows:
                row = found.slice(found.num_rows - 1).to_pylist()[0]
                return {name: value for name, value in row.items() if "." in name and value is not None}
        return {}

    def _whole(self) -> pa.Table:
        return pa.concat_tables(self.tables, promote_options="default")


def to_bytes(table: pa.Table) -> bytes:
    """Return a table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def from_bytes(stream: bytes) -> pa.Table:
    """Return the table of an Arrow IPC stream."""
    with pa.ipc.open_stream(stream) as reader:
        return reader.read_all()
