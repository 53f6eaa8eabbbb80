"""What is known of each trial, its attempts and how each ended, in a few bytes a trial; no file is touched here.

A reader asks once and filters columns; a driver asks trial by trial and keeps a dictionary. A million trials take some
200 MB there, since an entry is one small integer, unless a trial was attempted more than once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.ledger.schema import RANK

__all__ = ["INDEX_COLUMNS", "Index", "compact", "of_trials"]

INDEX_COLUMNS = ("trial_id", "attempt", "state")

_RANKS = [*RANK.values(), 0]
_STATES = [*map(str, RANK)]


def compact(rows: pa.Table) -> pa.Table:
    """Return the index columns of trials rows: trial_id, attempt (int32), rank (int8) of the state."""
    places = pc.index_in(rows["state"], value_set=pa.array(_STATES)).fill_null(len(_STATES))
    ranks = pa.array(_RANKS, pa.int8()).take(places)  # no NumPy array: for one Arrow loads masked arrays too
    return pa.table({"trial_id": rows["trial_id"], "attempt": rows["attempt"].cast(pa.int32()), "rank": ranks})


def of_trials(tables: Sequence[pa.Table], trial_ids: Iterable[str]) -> Index:
    """Return what index tables know of some trials."""
    wanted = pa.array(list(trial_ids), pa.string())
    found = Index()
    for table in tables:
        found.add(table.filter(pc.is_in(table["trial_id"], value_set=wanted)))
    return found


class Index:
    """trial_id -> attempt -> rank of its state."""

    def __init__(self) -> None:
        self._entries: dict[str, int | tuple[int, ...]] = {}
        """attempt * 4 + rank; a tuple of several attempts."""

    def attempts(self, trial_id: str) -> Mapping[int, int]:
        """Return attempt -> rank of one trial; empty: it was never attempted."""
        entry = self._entries.get(trial_id, ())
        codes = (entry,) if isinstance(entry, int) else entry
        return {code >> 2: code & 3 for code in codes}

    def rank(self, trial_id: str) -> int:
        """Return the best rank that a trial has; 0: it was never attempted."""
        return max(self.attempts(trial_id).values(), default=0)

    def add(self, rows: pa.Table) -> None:
        """Take in rows of `compact`; of two of one attempt the higher rank stays."""
        ids: list[str] = rows["trial_id"].to_pylist()
        codes = (rows["attempt"].to_numpy().astype(np.int64) * 4 + rows["rank"].to_numpy()).tolist()
        new = dict(zip(ids, codes, strict=True))
        if len(new) == len(ids) and new.keys().isdisjoint(
            self._entries
        ):  # the rule; one by one takes four times as long
            self._entries.update(new)
            return
        for trial_id, code in zip(ids, codes, strict=True):
            known = dict(self.attempts(trial_id))
            known[code >> 2] = max(known.get(code >> 2, 0), code & 3)
            entry = tuple(attempt * 4 + rank for attempt, rank in sorted(known.items()))
            self._entries[trial_id] = entry if len(entry) > 1 else entry[0]
