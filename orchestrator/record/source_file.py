"""Which file a study's record was made of: two files of one name must not write over each other's record."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from orchestrator.errors import RequestError

__all__ = ["file_of", "require_own_record", "source_of"]


def source_of(file: str, results: Path) -> dict[str, str] | None:
    """Return what a record says of the study's file: its path, seen from the results folder, and its digest.

    Args:
        file: the path, as the study was loaded from it; empty: it was found by name, and nothing needs to be said. Of a
            file that was moved away while its study ran, the record keeps what it says.
        results: the results folder.
    """
    try:
        content = Path(file).read_bytes() if file else None
    except OSError:
        content = None
    if content is None:
        return None
    path = os.path.relpath(os.path.realpath(file), os.path.realpath(results))
    return {"path": path, "digest": blake2b(content, digest_size=10).hexdigest()}


def file_of(source: Mapping[str, str] | None, results: Path) -> Path | None:
    """Return the file that a record was made of; None: it is not there, or the record does not say."""
    if not source:
        return None
    path = Path(os.path.normpath(os.path.join(os.path.realpath(results), source["path"])))
    return path if path.is_file() else None


def require_own_record(earlier: Mapping[str, Any], source: Mapping[str, str] | None, results: Path, study: str) -> None:
    """Refuse to write over the record of another file of the same name.

    A file that was edited, or moved together with the results, is the same one: only if the file that made the earlier
    record is still there, beside this one and with other content, are they two.

    Raises:
        RequestError: they are two; the line names both.
    """
    known = earlier.get("source") or {}
    if not source or not known or known["digest"] == source["digest"] or known["path"] == source["path"]:
        return
    other = file_of(known, results)
    if other is not None:
        raise RequestError(
            f"study {study!r} in {str(results)!r} is that of {str(other)!r}, another file of this name: rename one of "
            "them, or name another folder with --results"
        )
