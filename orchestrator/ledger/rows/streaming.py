"""Writing a batch part by part: what is put together is never in memory as a whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.ledger import files, plain_files
from orchestrator.ledger.files import BatchFile, Header
from orchestrator.ledger.schema import fitted, metadata, unknown_columns

__all__ = ["GROUP_ROWS", "Digesting", "encode_parts", "write_parts"]

GROUP_ROWS = 2**14
"""Rows of a row group: what a reader of a few trials has to unpack, and what a writer holds."""


class Digesting:
    """A file that digests and counts what is written to it, on the way to a stream or to nowhere."""

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self._stream, self._digest, self.n_bytes = stream, hashlib.blake2b(digest_size=16), 0
        self.closed = False

    def write(self, content: bytes) -> int:
        """Take in bytes."""
        self._digest.update(content)
        self.n_bytes += len(content)
        if self._stream is not None:
            self._stream.write(content)
        return len(content)

    def flush(self) -> None:
        """Do nothing: nothing waits here."""

    def close(self) -> None:
        """Do nothing: the stream is its owner's."""

    def hexdigest(self) -> str:
        """Return the digest of all that was written, as names of batch files have it."""
        return self._digest.hexdigest()


def encode_parts(
    sink: Digesting, parts: Iterable[pa.Table], schema: pa.Schema, *, tight: bool = False
) -> Iterator[int]:
    """Write parts to a sink as one Parquet file; yield the rows written so far, after each group of rows.

    Args:
        sink: where it goes.
        parts: tables whose columns are among those of `schema`.
        schema: of the whole (`schema.united`).
        tight: as small as it comes in groups of `GROUP_ROWS`; else compressed.
    """
    options = {**files.options_of(schema, tight=tight), "write_page_checksum": True}
    n_rows = 0
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, **options) as writer:
        for group in _groups(parts, schema):
            writer.write_table(group, row_group_size=GROUP_ROWS)
            n_rows += len(group)
            yield n_rows


def write_parts(
    folder: Path, parts: Iterable[pa.Table], schema: pa.Schema, *, batch: str, tight: bool = False, **facts: object
) -> tuple[BatchFile, Header] | None:
    """Write one table of a batch durably into `folder` (trials or epochs) as its parts come; None: there are no rows.

    Args:
        folder: trials or epochs.
        parts: tables whose columns are among those of `schema`.
        schema: of the whole (`schema.united`).
        batch: name of the batch.
        tight: as small as it comes.
        facts: what the file says of itself besides.
    """
    described = schema.with_metadata(metadata(folder.name, batch=batch, **facts))
    unfinished = folder / files.temporary(batch)
    n_rows = 0
    try:
        with open(plain_files.create(unfinished), "wb") as stream:
            sink = Digesting(stream)
            for so_far in encode_parts(sink, parts, described, tight=tight):
                n_rows = so_far
            stream.flush()
            os.fsync(stream.fileno())
        if not n_rows:
            unfinished.unlink()
            return None
        file = BatchFile(folder / f"{batch}.{sink.hexdigest()}.parquet", batch, sink.hexdigest())
        unfinished.replace(file.path)
    except BaseException:
        files.discard(unfinished)
        raise
    files.sync_folder(folder)
    unknown = tuple(unknown_columns(folder.name, schema.names))
    return file, Header(folder.name, batch, sink.n_bytes, n_rows, unknown=unknown, **files.names_of(facts))


def _groups(parts: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield the rows in tables of about `GROUP_ROWS`, under the schema."""
    waiting: list[pa.Table] = []
    n_rows = 0
    for part in parts:
        if len(part):
            waiting.append(fitted(part, schema))
            n_rows += len(part)
        if n_rows >= GROUP_ROWS:
            yield pa.concat_tables(waiting)
            waiting, n_rows = [], 0
    if waiting:
        yield pa.concat_tables(waiting)
