"""Writing batches, putting them together, and clearing up after a killed driver; for who holds the lock only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa

from orchestrator.ledger import files, schema
from orchestrator.ledger.batches import Batch, Batches
from orchestrator.ledger.studies import sweep_studies
from orchestrator.ledger.view import chosen, taken

__all__ = ["clear_up", "merge", "mergeable", "write"]

LARGEST_BYTES = 256 * 2**20
"""A merge never makes a larger batch than about this: it is held in memory."""

TINY_BYTES = 2**16
"""Batches below this are always worth merging."""


def write(
    batches: Batches, rows: pa.Table, epochs: pa.Table | None, *, small: bool, replaces: Sequence[str] = ()
) -> None:
    """Write a batch: first its epoch rows, then its trials, whose rename makes both count.

    Raises:
        LedgerError: the disk is full or cannot be written; the batch is then not there.
    """
    batch = files.new_batch()
    written: list[Path] = []
    try:
        with files.os_errors(f"results folder {str(batches.folder)!r} cannot be written"):
            if epochs is not None and len(epochs):
                file, _ = files.write_batch(batches.epochs_folder, epochs, small=small, batch=batch)
                written.append(file.path)
            own, gone = written[0].name if written else "", list(replaces)
            added = files.write_batch(batches.trials_folder, rows, small=small, batch=batch, epochs=own, replaces=gone)
    except BaseException:
        if not list(batches.trials_folder.glob(f"{batch}.*")):  # no trials file names these rows: they do not count
            for path in written:
                files.discard(path)
        raise
    batches.add(*added)
    if small:
        batches.keep(added[0], rows, epochs if written else None)


def merge(batches: Batches, merged: Sequence[Batch]) -> None:
    """Write the rows of these batches as one batch that replaces them, then delete them.

    Args:
        batches: the folder's batches.
        merged: the ones to put together, in order of time.
    """
    tables = [batches.trials(batch) for batch in merged]
    count = chosen(tables, every_attempt=True)
    rows = taken(schema.union("trials", tables), count)
    epochs = batches.epochs_of(merged, tables, count)
    write(batches, rows, epochs, small=False, replaces=sorted(file.batch for file, _ in merged))
    _delete(batches, merged)


def mergeable(batches: Batches) -> list[Batch]:
    """Return the batches to put together: the smallest ones, as long as one is not much larger than all before it.

    So each row is rewritten a logarithmic number of times, and at most a logarithmic number of files stays.
    """
    sizes = {batch[0]: _size(batches, batch) for batch in batches.live() if _whole(batches, batch)}
    whole = sorted((batch for batch in batches.live() if batch[0] in sizes), key=lambda batch: sizes[batch[0]])
    length = total = 0
    for place, (file, _) in enumerate(whole):
        if total + sizes[file] > LARGEST_BYTES:
            break
        if sizes[file] <= 2 * max(total, TINY_BYTES):
            length = place + 1
        total += sizes[file]
    return sorted(whole[:length], key=lambda batch: batch[0].batch)


def clear_up(batches: Batches) -> None:
    """Remove what a killed driver left: temporary files, replaced batches, epoch rows that were never appended."""
    files.sweep(batches.trials_folder)
    files.sweep(batches.epochs_folder)
    sweep_studies(batches.folder)
    _delete(batches, batches.leftovers())
    committed = {file.batch for file in files.scan(batches.trials_folder)[0]}
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
    return batch[1].n_bytes + (epochs.path.stat().st_size if epochs is not None else 0)


def _whole(batches: Batches, batch: Batch) -> bool:
    epochs = batches.epochs_file(batch[1])
    return epochs is None or (epochs.path.exists() and epochs.path not in batches.broken)
