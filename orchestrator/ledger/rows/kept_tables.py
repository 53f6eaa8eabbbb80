"""The tables that this process wrote in small batches, until they are put together: files cost more to read."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from orchestrator.ledger.files import BatchFile
from orchestrator.ledger.rows.view import Positions, mask_of, selected

__all__ = ["KeptTables"]

KEPT_CELLS = 2**22
"""How many cells a driver remembers: some 30 MB."""


class KeptTables:
    """The trials and the epoch rows of batches that this process wrote, as long as there is room."""

    def __init__(self) -> None:
        self._tables: dict[BatchFile, tuple[pa.Table, pa.Table | None]] = {}
        self.n_cells = 0
        """Cells of all tables that are remembered."""

    def __contains__(self, file: BatchFile) -> bool:
        return file in self._tables

    def keep(self, file: BatchFile, trials: pa.Table, epochs: pa.Table | None) -> None:
        """Remember the tables of a batch, unless there is no room."""
        n_cells = _n_cells(trials, epochs)
        if self.n_cells + n_cells <= KEPT_CELLS:
            self._tables[file] = (trials, epochs)
            self.n_cells += n_cells

    def drop(self, file: BatchFile) -> None:
        """Forget the tables of a batch, if they are remembered."""
        if file in self._tables:
            self.n_cells -= _n_cells(*self._tables.pop(file))

    def forget(self) -> None:
        """Forget all, so that files are read as they are on disk."""
        self._tables.clear()
        self.n_cells = 0

    def trials(self, file: BatchFile, columns: Sequence[str] | None, positions: Positions | None) -> pa.Table:
        """Return the trials of a batch that is remembered; see `Batches.trials`."""
        rows = selected(self._tables[file][0], columns)
        return rows if positions is None else rows.take(positions)

    def trials_schema(self, file: BatchFile) -> pa.Schema:
        """Return the columns of the trials of a batch that is remembered."""
        return self._tables[file][0].schema

    def epochs_schema(self, file: BatchFile) -> pa.Schema:
        """Return the columns of the epoch rows of a batch that is remembered; no columns if it has no such rows."""
        epochs = self._tables[file][1]
        return pa.schema([]) if epochs is None else epochs.schema

    def epochs(self, file: BatchFile, attempts: pa.Table | None) -> pa.Table | None:
        """Return the epoch rows of a batch that is remembered, all or those of some attempts; None: it has none."""
        epochs = self._tables[file][1]
        if epochs is None or attempts is None:
            return epochs
        return epochs.filter(pa.array(mask_of(epochs, attempts)))


def _n_cells(trials: pa.Table, epochs: pa.Table | None) -> int:
    of_epochs = 0 if epochs is None else epochs.num_rows * epochs.num_columns
    n_cells: int = trials.num_rows * trials.num_columns + of_epochs
    return n_cells
