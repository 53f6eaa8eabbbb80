"""What the files of a results folder say together: which batches count, what is broken, the tables read from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.errors import LedgerError
from orchestrator.ledger import files, plain_files, retractions
from orchestrator.ledger.files import BatchFile, Header
from orchestrator.ledger.retractions import Retraction, masked
from orchestrator.ledger.rows import headers, index, replacement
from orchestrator.ledger.rows.contents import known_schema, opened, places, row_group, rows_of_file
from orchestrator.ledger.rows.headers import BrokenFileError
from orchestrator.ledger.rows.kept_tables import KeptTables
from orchestrator.ledger.rows.view import Positions

__all__ = ["Batch", "Batches", "Piece", "pieces", "retry_while_changing"]

Batch = tuple[BatchFile, Header]
"""A trials file and what it says of itself."""

Answer = TypeVar("Answer")

RESTARTS = 20
"""How often a reader starts over when files vanish under it; one compaction makes them vanish once."""

MOST_BROKEN = 2**13
"""How many files a reader names before it gives up."""


@dataclass(frozen=True)
class Piece:
    """The rows of one batch that are among those asked for."""

    batch: Batch
    positions: Positions
    """Where they are in the batch, ascending."""
    attempts: pa.Table | None
    """Their (trial_id, attempt); None: all of the batch."""

    @property
    def wanted(self) -> Positions | None:
        """What `Batches.trials` is asked for: the positions; None: every row of the batch."""
        return None if self.attempts is None else self.positions


def pieces(live: Sequence[Batch], tables: Sequence[pa.Table], count: Positions) -> list[Piece]:
    """Return which rows of each batch are at ascending positions of the concatenation of their index tables.

    A batch that has no such row is left out.
    """
    found, start = [], 0
    for batch, table in zip(live, tables, strict=True):
        first, last = np.searchsorted(count, (start, start + len(table)))
        own = count[first:last] - start
        if len(own):
            found.append(Piece(batch, own, None if len(own) == len(table) else table.take(own)))
        start += len(table)
    return found


class ChangedError(Exception):
    """A file that counted turned out broken when more of it was read: it is named, and whoever reads starts over."""


class Batches:
    """The batches under one results folder; looked at again by `refresh`.

    Every method that reads files, `refresh` too, raises FileNotFoundError when a compaction by another process took
    one away meanwhile, and ChangedError when a file turns out broken: `retry_while_changing` starts over then.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trials_folder, self.epochs_folder = folder / "trials", folder / "epochs"
        self.broken: dict[Path, str] = {}
        """File -> the phrase that says what is wrong with it."""
        self.doubtful: dict[Path, str] = {}
        """File that is read all the same -> the phrase that says what of it is left out or not believed."""
        self.version = 0
        """Goes up whenever a batch comes by `refresh`, or goes."""
        self._headers: dict[BatchFile, Header] = {}
        self._index: dict[BatchFile, pa.Table] = {}
        self._retracted: dict[str, Retraction] = {}
        self._masked: dict[BatchFile, pa.Table] = {}
        """Index tables without the retracted attempts; made when they are asked for."""
        self._replaced: frozenset[str] = frozenset()
        self.kept = KeptTables()
        """What this process wrote in small batches, until it puts them together."""

    def refresh(self) -> list[Batch]:
        """Look at the trials folder again; return the batches that are new.

        Raises:
            LedgerError: the folder cannot be listed, is a link, or holds a file of a newer schema.
        """
        files.require_folder(self.folder)
        for name in ("trials", "epochs"):
            plain_files.inside(self.folder, name)
        with files.os_errors("the ledger cannot be read"):
            found, foreign = files.steady_scan(self.trials_folder)
        for path in foreign:
            if path not in self.broken:
                self.broken[path] = headers.strange(path)
        gone = set(self._headers).difference(found)
        self.version += len(gone)
        self.drop(gone)
        self.look_for_retractions()
        self._forget_problems_of_gone(foreign, found)
        new = [file for file in found if file not in self._headers and file.path not in self.broken]
        for file in new:
            self._admit(file)
        if new:
            self._replaced, wrong = replacement.replaced(self._headers, self._index)
            self.doubtful.update(wrong)
        return [(file, self._headers[file]) for file in new if file in self._headers]

    def _forget_problems_of_gone(self, foreign: Iterable[Path], found: Iterable[BatchFile]) -> None:
        there = set(foreign)
        for file in found:
            there.add(file.path)
        for problems in (self.broken, self.doubtful):
            for path in list(problems):
                if path.parent == self.trials_folder and path not in there:
                    del problems[path]

    def __len__(self) -> int:
        return len(self._headers)

    def add(self, file: BatchFile, described: Header, rows: pa.Table) -> None:
        """Take in a file that this process wrote itself, with the index columns of its trials."""
        self._headers[file] = described
        self._index[file] = rows
        self._replaced |= described.replaces

    def drop(self, gone: Iterable[BatchFile]) -> None:
        """Forget files that are no longer there."""
        for file in gone:
            head = self._headers.pop(file, None)
            if head is not None and head.epochs:
                self.broken.pop(self.epochs_folder / head.epochs, None)
            self._index.pop(file, None)
            self._masked.pop(file, None)
            self.kept.drop(file)

    def live(self) -> list[Batch]:
        """Return the batches that count, in order of time: all but broken and replaced ones."""
        return sorted(self._readable(replaced=False), key=lambda batch: batch[0].batch)

    def leftovers(self) -> list[Batch]:
        """Return readable batches whose rows another batch holds: a compaction was interrupted."""
        return self._readable(replaced=True)

    def _readable(self, *, replaced: bool) -> list[Batch]:
        return [batch for batch in self._headers.items() if (batch[0].batch in self._replaced) is replaced]

    def index(self, batch: Batch) -> pa.Table:
        """Return what is known of the trials of a batch, row by row (`index.compact`); retracted ones have rank 0."""
        if not self._retracted:
            return self._index[batch[0]]
        if batch[0] not in self._masked:
            self._masked[batch[0]] = masked(self._index[batch[0]], self._retracted)
        return self._masked[batch[0]]

    def tables(self, batches: Iterable[Batch], *, retracted: bool = False) -> list[pa.Table]:
        """Return `index` of each batch; with `retracted`, retracted attempts have the ranks that their rows have."""
        return [self._index[batch[0]] if retracted else self.index(batch) for batch in batches]

    @property
    def retracted(self) -> Mapping[str, Retraction]:
        """What was retracted, by trial_id."""
        return self._retracted

    def look_for_retractions(self) -> None:
        """Read what was retracted."""
        found = retractions.read(self.folder)
        if found != self._retracted:
            self._retracted = found
            self._masked.clear()
            self.version += 1

    def trials(
        self, batch: Batch, columns: Sequence[str] | None = None, positions: Positions | None = None
    ) -> pa.Table:
        """Return the trials rows of a batch, without columns that this program does not know.

        Args:
            batch: the batch.
            columns: only these, of which it may lack some; None: all.
            positions: only these rows, ascending; None: all.
        """
        if batch[0] in self.kept:
            return self.kept.trials(batch[0], columns, positions)
        try:
            return rows_of_file(opened(headers.verified(batch[0])), batch[1], columns, positions)
        except BrokenFileError as error:
            self.broken[batch[0].path] = str(error)
            self.drop([batch[0]])
            self.version += 1
            raise ChangedError from None

    def trials_schema(self, batch: Batch) -> pa.Schema:
        """Return the columns of a batch's trials."""
        if batch[0] in self.kept:
            return self.kept.trials_schema(batch[0])
        return known_schema(opened(headers.verified(batch[0])), batch[1])

    def epochs_schema(self, batch: Batch) -> pa.Schema:
        """Return the columns of a batch's epoch rows; none if it has none, or their file is broken."""
        if batch[0] in self.kept:
            return self.kept.epochs_schema(batch[0])
        file = self.epochs_file(batch[1])
        if file is None or file.path in self.broken:
            return pa.schema([])
        try:
            return known_schema(*self._epochs(batch, file))
        except BrokenFileError as error:
            self.broken[file.path] = str(error)
            raise ChangedError from None

    def parts(self, batch: Batch, attempts: pa.Table | None) -> Iterator[pa.Table]:
        """Yield the epoch rows of a batch in parts; none if it has none, or if `broken` has their file.

        Args:
            batch: the batch.
            attempts: (trial_id, attempt) of the rows that are wanted; None: all.
        """
        try:
            yield from self._parts(batch, attempts)
        except BrokenFileError as error:
            self.broken[self.epochs_folder / batch[1].epochs] = str(error)
            raise ChangedError from None

    def _parts(self, batch: Batch, attempts: pa.Table | None) -> Iterator[pa.Table]:
        if batch[0] in self.kept:
            kept = self.kept.epochs(batch[0], attempts)
            if kept is not None:
                yield kept
            return
        file = self.epochs_file(batch[1])
        if file is None or file.path in self.broken:
            return
        opened, head = self._epochs(batch, file)
        for group in range(opened.num_row_groups):
            if attempts is None:
                yield row_group(opened, head, group)
                continue
            if len(positions := places(opened, group, attempts)):
                yield row_group(opened, head, group, positions)

    def _epochs(self, batch: Batch, file: BatchFile) -> tuple[pq.ParquetFile, Header]:
        try:
            content = headers.verified(file)
        except FileNotFoundError:
            if not batch[0].path.exists():
                raise
            raise BrokenFileError("is missing") from None
        head = self._header("epochs", file, content)
        return opened(content), head

    def epochs_file(self, head: Header) -> BatchFile | None:
        """Return where the epoch rows of a batch lie."""
        if not head.epochs:
            return None
        batch, digest, _ = head.epochs.split(".")
        return BatchFile(self.epochs_folder / head.epochs, batch, digest)

    def forget_problems(self) -> None:
        """Forget what was found broken: the files were moved away or written anew."""
        self.broken.clear()
        self.doubtful.clear()

    def _admit(self, file: BatchFile) -> None:
        try:
            content = headers.verified(file)
            head = self._header("trials", file, content)
            rows = index.compact(rows_of_file(opened(content), head, index.INDEX_COLUMNS, None))
        except BrokenFileError as error:
            self.broken[file.path] = str(error)
            return
        self._headers[file], self._index[file] = head, rows
        self.version += 1

    def _header(self, table: str, file: BatchFile, content: bytes) -> Header:
        head = headers.header(table, file, content)
        if head.unknown:
            self.doubtful[file.path] = f"holds unknown columns, which are left out: {', '.join(head.unknown)}"
        return head


def retry_while_changing(batches: Batches, look: Callable[[], Answer]) -> Answer:
    """Return `look()`; start over while a driver's compaction takes files away under it, or one turns out broken."""
    gone = broken = 0
    while gone < RESTARTS and broken < MOST_BROKEN:
        try:
            return look()
        except FileNotFoundError:
            gone += 1
        except ChangedError:  # once for each file
            broken += 1
    raise LedgerError(f"results folder {str(batches.folder)!r} changes faster than it can be read; try again")
