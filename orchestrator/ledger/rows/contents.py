"""What a file of a batch holds, its rows and columns, checked; a damaged file is a BrokenFileError that says so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.ledger.files import Header
from orchestrator.ledger.rows import checks
from orchestrator.ledger.rows.headers import BrokenFileError
from orchestrator.ledger.rows.view import Positions, mask_of

__all__ = ["known_schema", "opened", "places", "row_group", "rows_of_file"]

SMALL_BYTES = 2**20
"""Below this, starting threads costs more than reading."""

MOST_TAKEN = 0.25
"""Of a row group whose rows are taken column by column: of more rows, all of it is read at once."""

SOME_ROWS = 2**11
"""How many rows are unpacked at once to take few of them."""

KEY_ROWS = 2**15
"""How many rows' keys are in memory at once."""


def opened(content: bytes) -> pq.ParquetFile:
    """Return a file whose content was read and verified."""
    return pq.ParquetFile(pa.BufferReader(content))


def known_schema(file: pq.ParquetFile, head: Header) -> pa.Schema:
    """Return the columns of a file that this program knows."""
    return pa.schema([field for field in file.schema_arrow if field.name not in head.unknown])


def rows_of_file(
    file: pq.ParquetFile, head: Header, columns: Sequence[str] | None, positions: Positions | None
) -> pa.Table:
    """Return rows of a file.

    Args:
        file: the file.
        head: what it says of itself.
        columns: only these, of which it may lack some; None: all that are known.
        positions: only these rows, ascending; None: all.

    Raises:
        BrokenFileError: it is damaged, or holds a value that this program does not write.
    """
    names = known_schema(file, head).names
    if columns is not None:
        names = [name for name in names if name in columns]
    threads = head.n_bytes > SMALL_BYTES
    try:
        if positions is None:
            rows = file.read(names, use_threads=threads)
        else:
            groups, own = _groups(file, positions)
            rows = _taken(file, groups, names, own, threads)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BrokenFileError("is damaged: its rows cannot be read") from error
    return _checked(rows)


def row_group(file: pq.ParquetFile, head: Header, group: int, positions: Positions | None = None) -> pa.Table:
    """Return one row group of a file, or some of its rows, given by ascending positions.

    Raises:
        BrokenFileError: as `rows_of_file`.
    """
    names = known_schema(file, head).names
    try:
        if positions is None:
            return _checked(file.read_row_group(group, names, use_threads=False))
        rows = _taken(file, [group], names, positions, threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BrokenFileError("is damaged: its rows cannot be read") from error
    return _checked(rows)


def _taken(
    file: pq.ParquetFile, groups: Sequence[int], names: Sequence[str], positions: Positions, threads: bool
) -> pa.Table:
    """Return rows of some row groups: few of many, some rows after others, which takes a tenth of the memory."""
    n_rows = sum(file.metadata.row_group(group).num_rows for group in groups)
    if len(positions) > MOST_TAKEN * n_rows:
        return file.read_row_groups(groups, names, use_threads=threads).take(positions)
    parts, start = [], 0
    for batch in file.iter_batches(SOME_ROWS, row_groups=groups, columns=names, use_threads=False):
        first, last = np.searchsorted(positions, (start, start + len(batch)))
        if first < last:
            parts.append(batch.take(pa.array(positions[first:last] - start)))
        start += len(batch)
        if last == len(positions):
            break
    schema = file.schema_arrow
    return pa.Table.from_batches(parts, pa.schema([schema.field(name) for name in names]))


def places(file: pq.ParquetFile, group: int, attempts: pa.Table) -> Positions:
    """Return where a row group has rows whose (trial_id, attempt) is among `attempts`.

    Raises:
        BrokenFileError: as `rows_of_file`.
    """
    found, start = [np.zeros(0, np.int64)], 0
    keys = ["trial_id", "attempt"]
    try:
        for batch in file.iter_batches(KEY_ROWS, row_groups=[group], columns=keys, use_threads=False):
            found.append(start + np.flatnonzero(mask_of(pa.table(batch), attempts)))
            start += len(batch)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BrokenFileError("is damaged: its rows cannot be read") from error
    return np.concatenate(found).astype(np.int64)


def _groups(file: pq.ParquetFile, positions: Positions) -> tuple[list[int], Positions]:
    """Return which row groups hold some positions, and where the positions are when only these are read."""
    sizes = np.zeros(file.num_row_groups, np.int64)
    for group in range(file.num_row_groups):
        sizes[group] = file.metadata.row_group(group).num_rows
    ends = np.cumsum(sizes)
    groups = np.unique(np.searchsorted(ends, positions, side="right"))
    skipped = np.cumsum(np.where(np.isin(np.arange(len(sizes)), groups), 0, sizes))
    return groups.tolist(), positions - skipped[np.searchsorted(ends, positions, side="right")]


def _checked(rows: pa.Table) -> pa.Table:
    rows = rows.replace_schema_metadata(None)
    found = checks.wrong_values(rows)
    if found:
        raise BrokenFileError(found)
    return rows
