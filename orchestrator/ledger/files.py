"""Batch files: immutable, named by the digest of their content, durable when written, diagnosed when broken.

A batch is what one append wrote: `trials/<batch>.<digest>.parquet` and, if there are epoch rows,
`epochs/<batch>.<digest>.parquet`. The trials file names its epochs file and the batches it replaces (compaction), and
its rename is the commit: an epochs file that no trials file names was never appended. A name that carries the digest
of the content makes every cut and every flipped bit visible, also those in Parquet's own header and footer.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.errors import LedgerError
from orchestrator.ledger.schema import SCHEMA_VERSION, metadata, unknown_columns

__all__ = [
    "BatchFile",
    "BrokenFileError",
    "Header",
    "diagnose",
    "header",
    "new_batch",
    "os_errors",
    "scan",
    "verified",
    "write_batch",
    "write_durably",
]

_NAME = re.compile(r"(?P<batch>\d{8}T\d{12}-[0-9a-f]{6})\.(?P<digest>[0-9a-f]{32})\.parquet")
_TEMPORARY = re.compile(r"\..*\.tmp")
_MAGIC = b"PAR1"
TIGHT_LEVEL = 12
"""Of zstd, for what is written once and kept."""


class BrokenFileError(Exception):
    """A file of the ledger that cannot be used; the text says why, in a phrase that follows its name."""


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
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return [], []
    for path in paths:
        match = _NAME.fullmatch(path.name)
        if match and not path.is_dir():
            batches.append(BatchFile(path, match["batch"], match["digest"]))
        elif not _TEMPORARY.fullmatch(path.name):
            foreign.append(path)
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
    for path in folder.iterdir():
        if _TEMPORARY.fullmatch(path.name) and not path.is_dir():
            path.unlink(missing_ok=True)


def _digest(content: bytes | pa.Buffer) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def verified(file: BatchFile) -> bytes:
    """Return the content of a batch file.

    Raises:
        BrokenFileError: the content is not what was written.
        LedgerError: the file is of a newer schema.
        FileNotFoundError: it is gone, for instance by a compaction meanwhile.
    """
    try:
        content = file.path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BrokenFileError(f"cannot be read: {error.strerror}") from error
    if _digest(content) != file.digest:
        raise BrokenFileError(diagnose(file.path, content))
    return content


def header(table: str, file: BatchFile, content: bytes) -> Header:
    """Return what a verified file says of itself.

    Raises:
        BrokenFileError: it is no file of this table or calls itself another batch.
        LedgerError: it is of a newer schema.
    """
    facts, names = _facts(file.path, content)
    if facts.get("table") != table:
        raise BrokenFileError(f"is no file of the {table} table")
    if facts.get("batch") != file.batch:
        raise BrokenFileError(f"was renamed: it is batch {facts.get('batch')}")
    return Header(
        table=table,
        batch=file.batch,
        n_bytes=len(content),
        epochs=str(facts.get("epochs", "")),
        replaces=frozenset(facts.get("replaces", ())),
        unknown=tuple(unknown_columns(table, names)),
    )


def _facts(path: Path, content: bytes) -> tuple[dict[str, Any], list[str]]:
    """Return a Parquet file's own facts (none for a foreign one) and its column names; refuse a newer schema."""
    try:
        schema = pq.read_schema(pa.BufferReader(content))
        facts = json.loads((schema.metadata or {}).get(b"orchestrator", b"{}"))
        version = int(facts.get("schema_version", 0))
    except (pa.ArrowException, OSError, ValueError, TypeError, AttributeError) as error:
        raise BrokenFileError("is damaged: its schema cannot be read") from error
    if version > SCHEMA_VERSION and _column_agrees(content, version):
        raise LedgerError(
            f"{str(path)!r} has ledger schema {version}, this program knows up to {SCHEMA_VERSION}: "
            "use a newer release of deep-clustering-orchestrator"
        )
    return facts, schema.names


def _column_agrees(content: bytes, version: int) -> bool:
    """Whether the rows name the version of the metadata too: a flipped bit must not pass for a newer schema."""
    try:
        rows = pq.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError, ValueError):
        return False
    if "schema_version" not in rows.column_names:  # the epochs table has no such column
        return True
    return set(rows["schema_version"].to_pylist()) <= {version}


def diagnose(path: Path, content: bytes) -> str:
    """Return why a file that is not what its name says cannot be used."""
    if not content:
        return "is empty"
    if not content.startswith(_MAGIC):
        return "is no Parquet file"
    if not content.endswith(_MAGIC):
        return "is cut short"
    try:
        facts, names = _facts(path, content)
    except BrokenFileError as error:
        return str(error)
    if _NAME.fullmatch(path.name):
        return "was changed after it was written: its content does not match the digest in its name"
    table = facts.get("table", path.parent.name)
    unknown = unknown_columns(table, names) if table in ("trials", "epochs") else names
    holds = f" and holds unknown columns: {', '.join(unknown)}" if unknown else ""
    return f"was not written by this program{holds}"


def encode(table: pa.Table, *, small: bool = False, tight: bool = False) -> pa.Buffer:
    """Return `table` as a Parquet file in memory.

    Small ones are plain, which is written fast; large ones compressed; tight ones as small as they come (numbers split
    into planes of bytes), which takes its time.
    """
    sink = pa.BufferOutputStream()
    numbers = [field.name for field in table.schema if tight and pa.types.is_floating(field.type)]
    words = [field.name for field in table.schema if field.name not in numbers]
    pq.write_table(
        table,
        sink,
        compression="none" if small else "zstd",
        compression_level=TIGHT_LEVEL if tight else None,
        use_dictionary=False if small else words if tight else True,
        use_byte_stream_split=numbers if tight else False,
        write_statistics=not small,
        write_page_checksum=True,
    )
    return sink.getvalue()


def write_batch(
    folder: Path, rows: pa.Table, *, small: bool, batch: str, tight: bool = False, **facts: object
) -> tuple[BatchFile, Header]:
    """Write one table of a batch durably into `folder` (trials or epochs), and return it."""
    table = folder.name
    described = rows.replace_schema_metadata(metadata(table, batch=batch, **facts))
    content = encode(described, small=small, tight=tight)
    digest = _digest(content)
    file = BatchFile(folder / f"{batch}.{digest}.parquet", batch, digest)
    write_durably(file.path, content)
    return file, Header(  # as `header` reads it: what was just written need not be parsed
        table=table,
        batch=batch,
        n_bytes=content.size,
        epochs=str(facts.get("epochs", "")),
        replaces=frozenset(cast(Iterable[str], facts.get("replaces", ()))),
        unknown=tuple(unknown_columns(table, rows.column_names)),
    )


def temporary(name: str) -> str:
    """Return the name under which a file is written before it gets its own."""
    return f".{name}.tmp"


def write_durably(path: Path, content: bytes | pa.Buffer) -> None:
    """Write a file that is there in full or not at all, also after a loss of power: temporary name, fsync, rename."""
    unfinished = path.with_name(temporary(path.name))
    try:
        with unfinished.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # the first error is the one to tell
            unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
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


def strange(path: Path) -> str:
    """Return what is wrong with something in a table's folder that is no batch file by its name."""
    if path.is_dir():
        return "is a folder"
    try:
        return diagnose(path, path.read_bytes())
    except OSError as error:
        return f"cannot be read: {error.strerror}"
