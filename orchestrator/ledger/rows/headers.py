"""What a batch file says of itself, checked before any of it is used; and why one that cannot be used is broken.

Whoever made the folder chose the names in a header: those of its epochs file and of batches that it replaces. They are
names such as this program writes, or the file is broken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.errors import LedgerError
from orchestrator.ledger import plain_files
from orchestrator.ledger.files import BATCH, NAME, BatchFile, Header, digest_of
from orchestrator.ledger.rows import checks
from orchestrator.ledger.schema import SCHEMA_VERSION, unknown_columns

__all__ = ["BrokenFileError", "diagnose", "header", "strange", "verified"]

_MAGIC = b"PAR1"

MOST_ROWS = 2**27
"""Of a file: a few bytes can claim any number of rows, and each would be held in memory."""


class BrokenFileError(Exception):
    """A file of the ledger that cannot be used; the text says why, in a phrase that follows its name."""


def verified(file: BatchFile) -> bytes:
    """Return the content of a batch file.

    Raises:
        BrokenFileError: the content is not what was written.
        LedgerError: the file is of a newer schema.
        FileNotFoundError: it is gone, for instance by a compaction meanwhile.
    """
    try:
        content = plain_files.read(file.path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BrokenFileError(f"cannot be read: {error.strerror}") from error
    if digest_of(content) != file.digest:
        raise BrokenFileError(diagnose(file.path, content))
    return content


def header(table: str, file: BatchFile, content: bytes) -> Header:
    """Return what a verified file says of itself.

    Raises:
        BrokenFileError: it is no file of this table or calls itself another batch.
        LedgerError: it is of a newer schema.
    """
    facts, about = _facts(file.path, content)
    if facts.get("table") != table:
        raise BrokenFileError(f"is no file of the {table} table")
    if facts.get("batch") != file.batch:
        raise BrokenFileError(f"was renamed: it is batch {str(facts.get('batch'))[:80]!r}")
    schema = about.schema.to_arrow_schema()
    if found := checks.wrong_columns(table, schema):
        raise BrokenFileError(found)
    if about.num_rows > MOST_ROWS or (table == "trials" and about.num_rows > len(content)):  # each has an id of its own
        raise BrokenFileError(f"claims {about.num_rows} rows in {len(content)} bytes")
    return Header(
        table=table,
        batch=file.batch,
        n_bytes=len(content),
        n_rows=about.num_rows,
        unknown=tuple(unknown_columns(table, schema.names)),
        **_named(file.batch, facts),
    )


def _named(batch: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names that a file gives, of its epochs and of batches that it replaces, if we write such."""
    epochs, replaces = facts.get("epochs", ""), facts.get("replaces", [])
    match = NAME.fullmatch(epochs) if isinstance(epochs, str) else None
    if epochs != "" and (match is None or match["batch"] != batch):
        raise BrokenFileError(f"names an epochs file that is not its own: {str(epochs)[:80]!r}")
    names = replaces if isinstance(replaces, list) else [replaces]
    strange = [name for name in names if not (isinstance(name, str) and re.fullmatch(BATCH, name, re.ASCII))]
    if strange or batch in names:
        raise BrokenFileError(f"says that it replaces what is no other batch: {str((strange or names)[0])[:80]!r}")
    return {"epochs": epochs, "replaces": frozenset(names)}


def _facts(path: Path, content: bytes) -> tuple[dict[str, Any], pq.FileMetaData]:
    """Return a Parquet file's own facts (none for a foreign one) and its metadata; refuse a newer schema."""
    try:
        about = pq.read_metadata(pa.BufferReader(content))
        facts = plain_files.parsed((about.metadata or {}).get(b"orchestrator", b"{}"))
        version = int(facts.get("schema_version", 0))
        about.schema.to_arrow_schema()
    except (pa.ArrowException, OSError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise BrokenFileError("is damaged: its schema cannot be read") from error
    if version > SCHEMA_VERSION and _column_agrees(content, version):
        raise LedgerError(
            f"{str(path)!r} has ledger schema {version}, this program knows up to {SCHEMA_VERSION}: "
            "use a newer release of deep-clustering-orchestrator"
        )
    return facts, about


def _column_agrees(content: bytes, version: int) -> bool:
    """Whether the rows name the version of the metadata too: a flipped bit must not pass for a newer schema."""
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        if "schema_version" not in file.schema_arrow.names:  # the epochs table has no such column
            return True
        rows = file.read(["schema_version"])
    except (pa.ArrowException, OSError, ValueError):
        return False
    return set(rows["schema_version"].unique().to_pylist()) <= {version}


def diagnose(path: Path, content: bytes) -> str:
    """Return why a file that is not what its name says cannot be used."""
    if not content:
        return "is empty"
    if not content.startswith(_MAGIC):
        return "is no Parquet file"
    if not content.endswith(_MAGIC):
        return "is cut short"
    try:
        facts, about = _facts(path, content)
    except BrokenFileError as error:
        return str(error)
    names = about.schema.to_arrow_schema().names
    if NAME.fullmatch(path.name):
        return "was changed after it was written: its content does not match the digest in its name"
    table = facts.get("table", path.parent.name)
    unknown = unknown_columns(table, names) if table in ("trials", "epochs") else names
    holds = f" and holds unknown columns: {', '.join(unknown)[:200]}" if unknown else ""
    return f"was not written by this program{holds}"


def strange(path: Path) -> str:
    """Return what is wrong with something in a table's folder that is no batch file by its name."""
    kind = plain_files.kind_of(path)
    if kind != "a file":
        return f"is {kind}, which is not followed" if kind == "a link" else f"is {kind}"
    try:
        return diagnose(path, plain_files.read(path))
    except OSError as error:
        return f"cannot be read: {error.strerror}"
