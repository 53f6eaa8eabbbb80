"""The read view of the batches of a folder: rows of trials and evaluations, of which only what is asked for is read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.errors import RequestError
from orchestrator.ledger import schema
from orchestrator.ledger.rows.batches import Batches, pieces
from orchestrator.ledger.rows.view import chosen, selected, taken

__all__ = ["epochs", "id_of", "trials"]


def trials(
    batches: Batches, *, every_attempt: bool, only: Sequence[str] | None = None, columns: Sequence[str] | None = None
) -> pa.Table:
    """Return one row a trial, or one an attempt.

    Args:
        batches: what there is, up to date.
        every_attempt: one row an attempt.
        only: these trials; None: all.
        columns: these columns, as far as there are any of their name; None: all.
    """
    live = batches.live()
    tables = batches.tables(live)
    count = chosen(tables, every_attempt=every_attempt, only=only)
    ascending = np.sort(count)
    parts = [batches.trials(piece.batch, columns, piece.wanted) for piece in pieces(live, tables, ascending)]
    rows = selected(schema.union("trials", parts, columns), columns)
    return taken(rows, np.searchsorted(ascending, count))


def id_of(batches: Batches, beginning: str) -> str:
    """Return the attempted trial whose id begins so.

    Raises:
        RequestError: none does, or several do.
    """
    found: set[str] = set()
    for batch in batches.live():
        ids = batches.index(batch)["trial_id"]
        found.update(ids.filter(pc.starts_with(ids, beginning)).to_pylist())
    if len(found) != 1:
        raise RequestError(
            f"trial id {beginning!r} fits {len(found)} trials in {str(batches.folder)!r}; give one trial's id, or "
            "enough of its beginning"
        )
    return found.pop()


def epochs(batches: Batches, *, every_attempt: bool, only: Sequence[str] | None = None) -> pa.Table:
    """Return the evaluations of the attempts that `trials` shows."""
    live = batches.live()
    tables = batches.tables(live)
    count = np.sort(chosen(tables, every_attempt=every_attempt, only=only))
    parts: list[pa.Table] = []
    for piece in pieces(live, tables, count):
        parts += batches.parts(piece.batch, piece.attempts)
    return schema.union("epochs", parts)
