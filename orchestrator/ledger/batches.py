"""What the files of a results folder say together: which batches count, what is broken, the tables read from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.errors import LedgerError
from orchestrator.ledger import files
from orchestrator.ledger.files import BatchFile, BrokenFileError, Header
from orchestrator.ledger.schema import union
from orchestrator.ledger.view import Positions, rows_of

__all__ = ["Batch", "Batches", "retry_while_compacting"]

Batch = tuple[BatchFile, Header]
"""A trials file and what it says of itself."""

Answer = TypeVar("Answer")

RESTARTS = 20
"""How often a reader starts over when files vanish under it; one compaction makes them vanish once."""

KEPT_CELLS = 2**22
"""How much of what it wrote a driver remembers until it is put together: some 30 MB."""

SMALL_BYTES = 2**20
"""Below this, starting threads costs more than reading."""


class Batches:
    """The batches under one results folder; looked at again by `refresh`.

    Every method that reads files, `refresh` too, raises FileNotFoundError when a compaction by another process took
    one away meanwhile: `retry_while_compacting` starts over then.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trials_folder, self.epochs_folder = folder / "trials", folder / "epochs"
        self.broken: dict[Path, str] = {}
        """File -> the phrase that says what is wrong with it."""
        self.unknown: dict[Path, tuple[str, ...]] = {}
        """File -> its columns that this program does not know; its other columns are read."""
        self._headers: dict[BatchFile, Header] = {}
        self._kept: dict[BatchFile, tuple[pa.Table, pa.Table | None]] = {}
        """What this process wrote in small batches, until it puts them together: files cost more to read."""
        self._kept_cells = 0

    def refresh(self) -> tuple[list[Batch], bool]:
        """Look at the trials folder again; return the batches that are new, and whether others are gone.

        Raises:
            LedgerError: the folder cannot be listed, or holds a file of a newer schema.
        """
        files.require_folder(self.folder)
        with files.os_errors("the ledger cannot be read"):
            found, foreign = files.steady_scan(self.trials_folder)
        self.broken.update({path: files.strange(path) for path in foreign if path not in self.broken})
        gone = set(self._headers).difference(found)
        self.drop(gone)
        new = [file for file in found if file not in self._headers and file.path not in self.broken]
        for file in new:
            self._admit(file)
        return [(file, self._headers[file]) for file in new if file in self._headers], bool(gone)

    def __len__(self) -> int:
        return len(self._headers)

    def add(self, file: BatchFile, described: Header) -> None:
        """Take in a file that this process wrote itself."""
        self._headers[file] = described

    def keep(self, file: BatchFile, rows: pa.Table, epochs: pa.Table | None) -> None:
        """Remember the tables of a file that this process wrote, as long as there is room."""
        cells = rows.num_rows * rows.num_columns + (epochs.num_rows * epochs.num_columns if epochs is not None else 0)
        if self._kept_cells + cells <= KEPT_CELLS:
            self._kept[file] = (rows, epochs)
            self._kept_cells += cells

    def drop(self, gone: Iterable[BatchFile]) -> None:
        """Forget files that are no longer there."""
        for file in gone:
            self._headers.pop(file, None)
            tables = self._kept.pop(file, ())
            self._kept_cells -= sum(table.num_rows * table.num_columns for table in tables if table is not None)

    def forget(self) -> None:
        """Forget everything, so that the next `refresh` finds every batch new."""
        self._headers.clear()
        self.forget_kept()
        self.forget_problems()

    def forget_kept(self) -> None:
        """Forget what was kept, so that files are read as they are on disk."""
        self._kept.clear()
        self._kept_cells = 0

    def live(self) -> list[Batch]:
        """Return the batches that count, in order of time: all but broken and replaced ones."""
        replaced = self.replaced()
        counting = [(file, head) for file, head in self._headers.items() if file.batch not in replaced]
        return sorted(counting, key=lambda batch: batch[0].batch)

    def leftovers(self) -> list[Batch]:
        """Return readable batches whose rows another batch holds: a compaction was interrupted."""
        replaced = self.replaced()
        return [(file, head) for file, head in self._headers.items() if file.batch in replaced]

    def replaced(self) -> frozenset[str]:
        """Return the names of batches whose rows another batch holds."""
        return frozenset[str]().union(*(head.replaces for head in self._headers.values()))

    def trials(self, batch: Batch, columns: list[str] | None = None) -> pa.Table:
        """Return the trials rows of a batch, without columns that this program does not know."""
        if batch[0] in self._kept:
            rows = self._kept[batch[0]][0]
            return rows if columns is None else rows.select([name for name in columns if name in rows.column_names])
        return _table(files.verified(batch[0]), batch[1], columns)

    def epochs(self, batch: Batch) -> pa.Table | None:
        """Return the epoch rows of a batch; None if it has none, or their file is broken: then `broken` says so."""
        if batch[0] in self._kept:
            return self._kept[batch[0]][1]
        file = self.epochs_file(batch[1])
        if file is None:
            return None
        try:
            content = files.verified(file)
            return _table(content, self._header("epochs", file, content), None)
        except BrokenFileError as error:
            self.broken[file.path] = str(error)
        except FileNotFoundError:
            if not batch[0].path.exists():
                raise
            self.broken[file.path] = "is missing"
        return None

    def epochs_of(self, live: Sequence[Batch], tables: Sequence[pa.Table], count: Positions) -> pa.Table:
        """Return the epoch rows of the trials rows at `count`, each from the batch that its trial came with.

        Args:
            live: the batches.
            tables: the trials table of each, or the index columns of it.
            count: positions in the concatenation of `tables`.
        """
        parts, start = [], 0
        for batch, table in zip(live, tables, strict=True):
            own = count[(count >= start) & (count < start + len(table))] - start
            start += len(table)
            epochs = self.epochs(batch) if len(own) else None
            if epochs is not None:
                parts.append(epochs if len(own) == len(table) else rows_of(epochs, table.take(own)))
        return union("epochs", parts)

    def epochs_file(self, head: Header) -> BatchFile | None:
        """Return where the epoch rows of a batch lie."""
        if not head.epochs:
            return None
        batch, digest, _ = head.epochs.split(".")
        return BatchFile(self.epochs_folder / head.epochs, batch, digest)

    def forget_problems(self) -> None:
        """Forget what was found broken: the files were moved away or written anew."""
        self.broken.clear()
        self.unknown.clear()

    def _admit(self, file: BatchFile) -> None:
        try:
            self._headers[file] = self._header("trials", file, files.verified(file))
        except BrokenFileError as error:
            self.broken[file.path] = str(error)

    def _header(self, table: str, file: BatchFile, content: bytes) -> Header:
        head = files.header(table, file, content)
        if head.unknown:
            self.unknown[file.path] = head.unknown
        return head


def retry_while_compacting(batches: Batches, look: Callable[[], Answer]) -> Answer:
    """Return `look()`; start over while a driver's compaction takes files away under it."""
    for _ in range(RESTARTS):
        try:
            return look()
        except FileNotFoundError:
            continue
    raise LedgerError(f"results folder {str(batches.folder)!r} changes faster than it can be read; try again")


def _table(content: bytes, head: Header, columns: list[str] | None) -> pa.Table:
    threads = len(content) > SMALL_BYTES
    rows = pq.ParquetFile(pa.BufferReader(content)).read(columns, use_threads=threads).replace_schema_metadata(None)
    return rows.drop_columns([name for name in head.unknown if name in rows.column_names])
