"""Following the read view of a results folder: what immutable batches said is kept, and only what is new is read.

A look costs a listing of the folder and the rows of the batches that came since the last one. When batches went
(compaction put them together) or trials were retracted, the view is chosen again from the index columns, which are in
memory; rows whose attempt and state are those of before are not read again then either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from orchestrator.ledger import schema
from orchestrator.ledger.files import BatchFile
from orchestrator.ledger.retractions import Retraction
from orchestrator.ledger.rows.batches import Batch, Batches, pieces, retry_while_changing
from orchestrator.ledger.rows.view import Positions, chosen

__all__ = ["Change", "Following"]


@dataclass(frozen=True)
class Change:
    """What a look found that the look before had not."""

    slots: Positions
    """Of the trials whose row is new or another one."""
    rows: pa.Table
    """Their rows, in the same order; absent columns are absent."""
    gone: Positions
    """Slots of trials that have no row any more, since somebody retracted them."""

    def __bool__(self) -> bool:
        return bool(len(self.slots) or len(self.gone))


class Following:
    """Looks at the trials of a folder again and again. Every trial has a slot, a number from 0 that it keeps.

    Args:
        folder: the results folder; it may be absent.
        columns: of the trials table, which are read besides trial_id, attempt and state.
    """

    def __init__(self, folder: Path, columns: Sequence[str]) -> None:
        self.columns = ("trial_id", "attempt", "state", *columns)
        self._batches = Batches(folder)
        self._live: list[BatchFile] = []
        self._slots: dict[str, int] = {}
        self._ids: list[str] = []
        self._known = np.zeros((0, 2), np.int64)
        """By slot: rank of the state and attempt of the row that counts; rank 0: there is none."""
        self._retractions: Mapping[str, Retraction] = {}

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def retracted(self) -> Iterable[str]:
        """The trials that somebody retracted, as of the last look."""
        return self._batches.retracted.keys()

    def slots(self, trial_ids: Iterable[str]) -> Positions:
        """Return the slots of trials; those that have none yet get one."""
        known, found = self._slots, []
        for trial_id in trial_ids:
            slot = known.setdefault(trial_id, len(known))
            if slot == len(self._ids):
                self._ids.append(trial_id)
            found.append(slot)
        if len(known) > len(self._known):
            more = np.zeros((max(len(known), 2 * len(self._known)), 2), np.int64)
            more[: len(self._known)] = self._known
            self._known = more
        return np.array(found, np.int64)

    def trial_id(self, slot: int) -> str:
        """Return the trial that has a slot."""
        return self._ids[slot]

    def look(self) -> Change:
        """Return what is new since the last look; at the first one, everything is.

        Raises:
            LedgerError: the folder cannot be read, or changes faster than it can be.
        """
        return retry_while_changing(self._batches, self._look)

    def _look(self) -> Change:
        self._batches.refresh()
        live = self._batches.live()
        files = [file for file, _ in live]
        n_before = len(self._live)
        grown = files[:n_before] == self._live and self._batches.retracted == self._retractions
        change = self._changed(live[n_before:] if grown else live, whole=not grown)
        self._live, self._retractions = files, dict(self._batches.retracted)
        return change

    def _changed(self, batches: Sequence[Batch], *, whole: bool) -> Change:
        """Return what these batches say that is not known; with `whole`, they are all that there is to say."""
        tables = self._batches.tables(batches)
        count = np.sort(chosen(tables))
        index = pa.concat_tables(tables).take(count) if tables else _EMPTY
        slots = self.slots(index["trial_id"].to_pylist())
        said = np.stack([index["rank"].to_numpy(), index["attempt"].to_numpy()], axis=1).astype(np.int64)
        known = self._known[slots]
        if whole:
            news = (said != known).any(axis=1)
        else:
            news = (said[:, 0] > known[:, 0]) | ((said[:, 0] == known[:, 0]) & (said[:, 1] > known[:, 1]))
        rows = self._rows(batches, tables, count[news])
        gone = _absent(self._known, slots) if whole else slots[:0]
        self._known[slots[news]] = said[news]
        self._known[gone] = 0
        return Change(slots[news], rows, gone)

    def _rows(self, batches: Sequence[Batch], tables: Sequence[pa.Table], count: Positions) -> pa.Table:
        parts = [
            self._batches.trials(piece.batch, self.columns, piece.wanted) for piece in pieces(batches, tables, count)
        ]
        return schema.union("trials", parts, self.columns)


_EMPTY = pa.table(
    {"trial_id": pa.array([], pa.string()), "attempt": pa.array([], pa.int32()), "rank": pa.array([], pa.int8())}
)


def _absent(known: Positions, there: Positions) -> Positions:
    """Return the slots that have had a row, and are not among those that have one."""
    before = known[:, 0] > 0
    before[there] = False
    return np.flatnonzero(before)
