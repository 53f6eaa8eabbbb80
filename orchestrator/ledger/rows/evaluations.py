"""The evaluations of many trials in the order of the trials: sorted in memory, or by way of the disk if there are many.

Batches hold them in the order in which trials ended. They are put into buckets by the place of their trial, one file a
bucket, and each bucket is sorted when it is read: one bucket at a time is in memory.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.ledger.schema import fitted

__all__ = ["Shelf"]

BUCKET_TRIALS = 2**15
"""Attempts a bucket: with ten evaluations of ten numbers each, 30 MB."""


WAITING_ROWS = 2**13
"""Of a bucket, before they go to its file."""


class Shelf:
    """Takes evaluations in any order and gives them back in that of their trials, as often as asked; a context.

    Args:
        beside: the folder in whose neighbourhood lies, meanwhile, what does not fit into memory.
    """

    def __init__(self, beside: Path) -> None:
        self.schema = pa.schema([])
        """Of the evaluations."""
        self._beside = beside
        self._stack = contextlib.ExitStack()
        self._ids: pa.Array = pa.array([], pa.string())
        self._buckets: list[_Bucket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def begin(self, trial_ids: pa.ChunkedArray, columns: pa.Schema) -> None:
        """Forget everything, and take evaluations of these trials, which are in order, from here on."""
        self._stack.close()
        self.schema, self._ids = columns, trial_ids.unique()
        number = 1 + max(len(self._ids) - 1, 0) // BUCKET_TRIALS
        described = columns.append(pa.field("place", pa.int32()))
        if number == 1:
            self._buckets = [_Bucket(described)]
            return
        self._beside.parent.mkdir(parents=True, exist_ok=True)
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix=".sorting-", dir=self._beside.parent))
        self._buckets = [_Bucket(described, Path(folder, f"{one}.arrow")) for one in range(number)]

    def add(self, part: pa.Table) -> None:
        """Take in evaluations."""
        places = pc.index_in(part["trial_id"], value_set=self._ids).combine_chunks()
        rows = fitted(part, self.schema).append_column("place", places)
        if len(self._buckets) == 1:
            self._buckets[0].add(rows)
            return
        numbers = places.to_numpy() // BUCKET_TRIALS
        for number in np.unique(numbers):
            self._buckets[number].add(rows.filter(pa.array(numbers == number)))

    def tables(self) -> Iterator[pa.Table]:
        """Yield the evaluations in order, a bucket at a time; a trial is never in two."""
        keys = [(name, "ascending") for name in ("place", "attempt", "epoch")]
        for bucket in self._buckets:
            yield bucket.rows().sort_by(keys).drop_columns("place")


class _Bucket:
    """Rows in the order in which they came, in memory or in a file that is opened only to write and to read."""

    def __init__(self, columns: pa.Schema, path: Path | None = None) -> None:
        self._columns, self._path = columns, path
        self._parts: list[pa.Table] = []
        self._n_waiting = 0

    def add(self, rows: pa.Table) -> None:
        self._parts.append(rows.cast(self._columns))
        self._n_waiting += len(rows)
        if self._path is not None and self._n_waiting >= WAITING_ROWS:
            self._write()

    def rows(self) -> pa.Table:
        written = []
        if self._path is not None and self._path.exists():
            with self._path.open("rb") as file:
                while file.peek(1):
                    written.append(pa.ipc.open_stream(file).read_all())
        return pa.concat_tables([self._columns.empty_table(), *written, *self._parts])

    def _write(self) -> None:
        """Add what waits to the file as one more stream."""
        assert self._path is not None
        with self._path.open("ab") as file, pa.ipc.new_stream(file, self._columns) as stream:
            stream.write_table(pa.concat_tables(self._parts))
        self._parts, self._n_waiting = [], 0
