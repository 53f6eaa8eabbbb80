"""Writing batches, putting them together, and clearing up after a killed driver; for who holds the lock only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

import numpy as np
import pyarrow as pa

from orchestrator.ledger import files, plain_files, schema
from orchestrator.ledger.rows import index, streaming
from orchestrator.ledger.rows.batches import Batch, Batches, Piece, pieces
from orchestrator.ledger.rows.view import chosen
from orchestrator.ledger.studies import sweep_studies

__all__ = ["clear_up", "epoch_columns", "epoch_rows", "merge", "mergeable", "write", "write_parts"]

LARGEST_BYTES = 64 * 2**20
"""A merge never makes a larger batch than about this: whoever wants a few of its rows reads and checks it whole."""

TINY_BYTES = 2**16
"""Batches below this are always worth merging."""


def write(batches: Batches, rows: pa.Table, epochs: pa.Table | None) -> None:
    """Write a small batch: first its epoch rows, then its trials, whose rename makes both count.

    Raises:
        LedgerError: the disk is full or cannot be written; the batch is then not there.
    """
    with _batch(batches) as batch:
        own = ""
        if epochs is not None and len(epochs):
            own = files.write_batch(batches.epochs_folder, epochs, small=True, batch=batch)[0].path.name
        added = files.write_batch(batches.trials_folder, rows, small=True, batch=batch, epochs=own, replaces=[])
    batches.add(*added, index.compact(rows))
    batches.kept.keep(added[0], rows, epochs if own else None)


def write_parts(batches: Batches, rows: pa.Table, epochs: Iterable[pa.Table], columns: pa.Schema) -> None:
    """Write a batch whose epoch rows come part by part; all of it counts, or nothing.

    Args:
        batches: the folder's batches.
        rows: the trials.
        epochs: parts of their epoch rows.
        columns: of those (`schema.united`).
    """
    with _batch(batches) as batch:
        made = streaming.write_parts(batches.epochs_folder, epochs, schema.united("epochs", [columns]), batch=batch)
        named = made[0].path.name if made else ""
        whole = schema.united("trials", [rows.schema])
        added = streaming.write_parts(batches.trials_folder, [rows], whole, batch=batch, epochs=named, replaces=[])
    assert added is not None
    batches.add(*added, index.compact(rows))


def merge(batches: Batches, merged: Sequence[Batch]) -> None:
    """Write the rows of these batches as one batch that replaces them, part by part, then delete them.

    Args:
        batches: the folder's batches.
        merged: the ones to put together, in order of time.
    """
    tables = batches.tables(merged, retracted=True)
    count = np.sort(chosen(tables, every_attempt=True))
    own = pieces(merged, tables, count)
    columns = schema.united("trials", [batches.trials_schema(piece.batch) for piece in own])
    names = sorted(file.batch for file, _ in merged)
    with _batch(batches) as batch:
        epochs = streaming.write_parts(
            batches.epochs_folder, epoch_rows(batches, own), epoch_columns(batches, own), batch=batch
        )
        named = epochs[0].path.name if epochs else ""
        parts = (batches.trials(piece.batch, None, piece.wanted) for piece in own)
        added = streaming.write_parts(batches.trials_folder, parts, columns, batch=batch, epochs=named, replaces=names)
    assert added is not None  # batches hold rows
    batches.add(*added, pa.concat_tables(tables).take(count).combine_chunks())
    _delete(batches, merged)


@contextlib.contextmanager
def _batch(batches: Batches) -> Iterator[str]:
    """Give the name of a new batch; take away its epoch rows if no trials file came to name them."""
    batch = files.new_batch()
    try:
        with files.os_errors(f"results folder {str(batches.folder)!r} cannot be written"):
            yield batch
    except BaseException:
        if not list(batches.trials_folder.glob(f"{batch}.*")):  # no trials file names these rows: they do not count
            for path in batches.epochs_folder.glob(f"{batch}.*"):
                files.discard(path)
        raise


def epoch_columns(batches: Batches, own: Iterable[Piece]) -> pa.Schema:
    """Return the columns of the epoch rows of some batches."""
    return schema.united("epochs", [batches.epochs_schema(piece.batch) for piece in own])


def epoch_rows(batches: Batches, own: Iterable[Piece]) -> Iterator[pa.Table]:
    """Yield the epoch rows of some attempts, part by part."""
    for piece in own:
        yield from batches.parts(piece.batch, piece.attempts)


def mergeable(batches: Batches) -> list[Batch]:
    """Return the batches to put together: the smallest ones, as long as one is not much larger than all before it.

    So each row is rewritten a logarithmic number of times, and at most a logarithmic number of files stays.
    """
    whole = [(_size(batches, batch), batch) for batch in batches.live() if _whole(batches, batch)]
    whole.sort(key=itemgetter(0))
    length = total = 0
    for place, (size, _) in enumerate(whole):
        if total + size > LARGEST_BYTES:
            break
        if size <= 2 * max(total, TINY_BYTES):
            length = place + 1
        total += size
    return sorted((batch for _, batch in whole[:length]), key=lambda batch: batch[0].batch)


def clear_up(batches: Batches) -> None:
    """Remove what a killed driver left: temporary files, replaced batches, epoch rows that were never appended."""
    files.sweep(batches.trials_folder)
    files.sweep(batches.epochs_folder)
    sweep_studies(batches.folder)
    _delete(batches, batches.leftovers())
    found, foreign = files.scan(batches.trials_folder)
    committed = {file.batch for file in found}
    for path in foreign:
        committed.add(path.name.partition(".")[0])
    for file in files.scan(batches.epochs_folder)[0]:
        if file.batch not in committed:
            files.discard(file.path)


def _delete(batches: Batches, gone: Iterable[Batch]) -> None:
    """Delete replaced batches; a file that cannot be deleted is harmless, because it does not count."""
    for file, head in gone:
        files.discard(file.path)  # first, so that a reader who misses the epochs file can tell why
        epochs = batches.epochs_file(head)
        if epochs is not None:
            files.discard(epochs.path)
        batches.drop([file])


def _size(batches: Batches, batch: Batch) -> int:
    epochs = batches.epochs_file(batch[1])
    return batch[1].n_bytes + (epochs.path.lstat().st_size if epochs is not None else 0)


def _whole(batches: Batches, batch: Batch) -> bool:
    epochs = batches.epochs_file(batch[1])
    return epochs is None or (plain_files.kind_of(epochs.path) == "a file" and epochs.path not in batches.broken)
