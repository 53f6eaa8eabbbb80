"""Batch files: immutable, named by the digest of their content, durable when written.

A batch is what one append wrote: `trials/<batch>.<digest>.parquet` and, if there are epoch rows,
`epochs/<batch>.<digest>.parquet`. The trials file names its epochs file and the batches it replaces (compaction), and
its rename is the commit: an epochs file that no trials file names was never appended. A name that carries the digest
of the content makes every cut and every flipped bit visible, also those in Parquet's own header and footer.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.errors import LedgerError
from orchestrator.ledger import plain_files
from orchestrator.ledger.schema import metadata, unknown_columns

__all__ = [
    "BatchFile",
    "Header",
    "digest_of",
    "discard",
    "encode",
    "new_batch",
    "options_of",
    "os_errors",
    "scan",
    "write_batch",
    "write_durably",
]

BATCH = r"\d{8}T\d{12}-[0-9a-f]{6}"
NAME = re.compile(rf"(?P<batch>{BATCH})\.(?P<digest>[0-9a-f]{{32}})\.parquet", re.ASCII)
_TEMPORARY = re.compile(r"\..*\.tmp", re.DOTALL)
TIGHT_LEVEL = 12
"""Of zstd, for what is written once and kept."""


@dataclass(frozen=True)
class BatchFile:
    """Where a batch's table lies; nothing is read yet."""

    path: Path
    batch: str
    digest: str


@dataclass(frozen=True)
class Header:
    """What a file says of itself."""

    table: str
    batch: str
    n_bytes: int
    n_rows: int = 0
    epochs: str = ""
    """Name of the epochs file of a trials file; empty: the batch has no epoch rows."""
    replaces: frozenset[str] = frozenset()
    """Batches whose rows this one holds (compaction)."""
    unknown: tuple[str, ...] = ()
    """Columns that this program does not know; they are left out when the file is read."""


@contextlib.contextmanager
def os_errors(what: str) -> Iterator[None]:
    """Turn an error of the operating system into one line: a full disk, a read-only folder, a name in the way."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise LedgerError(f"{what}: {error.strerror or error}{where}") from error


def require_folder(folder: Path) -> None:
    """Raise LedgerError if `folder` is something else than a folder, or cannot be looked at; it may be absent."""
    with os_errors(f"results folder {str(folder)!r} cannot be read"):
        if folder.exists() and not folder.is_dir():
            raise LedgerError(f"results folder {str(folder)!r} is a file; name a folder with --results")


def new_batch() -> str:
    """Return a batch name: sorted by time, unique also among folders that are merged later."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"


def scan(folder: Path) -> tuple[list[BatchFile], list[Path]]:
    """Return the batch files of a table's folder in order of time, and what is in it besides (no temporary files)."""
    batches, foreign = [], []
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.is_file(follow_symlinks=False)) for entry in entries)
    except FileNotFoundError:
        return [], []
    for name, is_file in found:
        match = NAME.fullmatch(name)
        if match and is_file:
            batches.append(BatchFile(folder / name, match["batch"], match["digest"]))
        elif not (is_file and _TEMPORARY.fullmatch(name)):
            foreign.append(folder / name)
    return batches, foreign


def steady_scan(folder: Path) -> tuple[list[BatchFile], list[Path]]:
    """Return `scan(folder)` as it was at one moment.

    A listing is not atomic: while a driver writes a merged file and deletes the small ones, one listing may miss
    both. A file that the first of two listings missed is there for the whole of the second: two that agree miss none.
    """
    before = scan(folder)
    for _ in range(100):
        after = scan(folder)
        if after == before:
            break
        before = after
    return before


def sweep(folder: Path) -> None:
    """Delete the temporary files that a killed writer left."""
    for name in os.listdir(folder):
        if _TEMPORARY.fullmatch(name) and plain_files.kind_of(folder / name) == "a file":
            discard(folder / name)


def digest_of(content: bytes | pa.Buffer) -> str:
    """Return the digest of a content, as names of files have it."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def encode(table: pa.Table, *, small: bool = False, tight: bool = False) -> pa.Buffer:
    """Return `table` as a Parquet file in memory; small ones are plain, which is written fast."""
    sink = pa.BufferOutputStream()
    if small:
        options = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    else:
        options = options_of(table.schema, tight=tight)
    pq.write_table(table, sink, write_page_checksum=True, **options)
    return sink.getvalue()


def options_of(schema: pa.Schema, *, tight: bool) -> dict[str, Any]:
    """Return how Parquet is written that is kept: compressed, or as small as it comes, which takes its time.

    The latter splits numbers into planes of bytes.
    """
    if not tight:
        return {"compression": "zstd"}
    numbers = [field.name for field in schema if pa.types.is_floating(field.type)]
    words = [field.name for field in schema if field.name not in numbers]
    planes = {"use_dictionary": words, "use_byte_stream_split": numbers}
    return {"compression": "zstd", "compression_level": TIGHT_LEVEL, **planes}


def write_batch(
    folder: Path, rows: pa.Table, *, small: bool, batch: str, tight: bool = False, **facts: object
) -> tuple[BatchFile, Header]:
    """Write one table of a batch durably into `folder` (trials or epochs), and return it."""
    table = folder.name
    described = rows.replace_schema_metadata(metadata(table, batch=batch, **facts))
    content = encode(described, small=small, tight=tight)
    digest = digest_of(content)
    file = BatchFile(folder / f"{batch}.{digest}.parquet", batch, digest)
    write_durably(file.path, content)
    return file, Header(  # as `header` reads it: what was just written need not be parsed
        table=table,
        batch=batch,
        n_bytes=content.size,
        n_rows=rows.num_rows,
        **names_of(facts),
        unknown=tuple(unknown_columns(table, rows.column_names)),
    )


def names_of(facts: Mapping[str, object]) -> dict[str, Any]:
    """Return the names in what a file of ours says of itself, as its `Header` has them."""
    return {"epochs": facts.get("epochs", ""), "replaces": frozenset(cast(Iterable[str], facts.get("replaces", ())))}


def temporary(name: str) -> str:
    """Return the name under which a file is written before it gets its own."""
    return f".{name}.tmp"


def write_durably(path: Path, content: bytes | pa.Buffer) -> None:
    """Write a file that is there in full or not at all, also after a loss of power: temporary name, fsync, rename."""
    unfinished = path.with_name(temporary(path.name))
    try:
        with open(plain_files.create(unfinished), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # the first error is the one to tell
            unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was renamed in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot, and need not
            raise
    finally:
        os.close(descriptor)


def discard(path: Path) -> None:
    """Delete a file that does not count any more; one that cannot be deleted stays, and does no harm."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
