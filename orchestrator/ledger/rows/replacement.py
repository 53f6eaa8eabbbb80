"""Which batches another batch replaces: a compaction names them, and is believed as far as it holds their rows.

A compaction that was killed leaves the batches it replaced beside the new one: their rows are there twice, and the old
ones are deleted. Nothing else may make a batch count for nothing, whoever wrote the header that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.ledger.files import BatchFile, Header

__all__ = ["replaced"]


def replaced(
    headers: Mapping[BatchFile, Header], index: Mapping[BatchFile, pa.Table]
) -> tuple[frozenset[str], dict[Path, str]]:
    """Return the batches that count for nothing, and file -> phrase for headers that claim what is not so.

    Args:
        headers: what the readable trials files say.
        index: the index columns of each (`index.compact`).
    """
    there = {file.batch: file for file in headers}
    claims = {file: sorted(head.replaces & there.keys()) for file, head in headers.items()}
    gone: set[str] = set()
    wrong: dict[Path, str] = {}
    for file, names in claims.items():
        for name in names:
            other = there[name]
            if _reaches(other, file, claims, there) or not _holds(index[file], index[other]):
                wrong[file.path] = f"says that it replaces batch {name}, whose rows it does not hold; both count"
            else:
                gone.add(name)
    return frozenset(gone), wrong


def _reaches(
    start: BatchFile, end: BatchFile, claims: Mapping[BatchFile, list[str]], there: Mapping[str, BatchFile]
) -> bool:
    """Return whether `start` claims to replace `end`, by itself or by way of others: a circle replaces nothing."""
    waiting, seen = [start], {start}
    while waiting:
        for name in claims[waiting.pop()]:
            file = there[name]
            if file == end:
                return True
            if file not in seen:
                seen.add(file)
                waiting.append(file)
    return False


def _holds(whole: pa.Table, part: pa.Table) -> bool:
    """Return whether every attempt in `part` is in `whole`, in the same state or a better one."""
    known = _ranks(whole.filter(pc.is_in(whole["trial_id"], value_set=part["trial_id"])))
    return all(known.get(key, 0) >= rank for key, rank in _ranks(part).items())


def _ranks(rows: pa.Table) -> dict[tuple[str, int], int]:
    """Return (trial_id, attempt) -> the best rank that it has."""
    columns = (rows[name].to_pylist() for name in ("trial_id", "attempt", "rank"))
    found: dict[tuple[str, int], int] = {}
    for trial_id, attempt, rank in zip(*columns, strict=True):
        found[trial_id, attempt] = max(rank, found.get((trial_id, attempt), 0))
    return found
