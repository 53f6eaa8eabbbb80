"""The ledger itself: appending outcomes durably, and answering what is known of which trial."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from orchestrator.errors import LedgerError
from orchestrator.ledger import files, schema, studies
from orchestrator.ledger.batches import Batch, Batches
from orchestrator.ledger.doctor import find_problems, quarantine
from orchestrator.ledger.lock import FolderLock
from orchestrator.ledger.view import INDEX_COLUMNS, chosen, rows_of
from orchestrator.trial import TrialOutcome, TrialState

__all__ = ["Ledger"]

Answer = TypeVar("Answer")

MOST_BATCHES = 512
"""How many batches may gather before `append` compacts the small ones by itself: bounds files and opening time."""

LARGEST_BYTES = 256 * 2**20
"""A compaction never makes a larger table than about this: it is held in memory."""

RESTARTS = 8
"""How often a reader starts over when a driver's compaction takes files away under it."""


class Ledger:
    """Every attempted trial of a results folder.

    Readers need no lock and may read while a driver writes. Whoever writes opens with `writable=True`, as a context:

        with Ledger(Path("results"), writable=True) as ledger:
            ledger.append(outcomes, epochs)

    What `append` returned from is on disk, whatever happens next; what it did not return from is there in full or
    not at all. A folder that does not exist is an empty ledger to a reader, and is made by a writer.

    Args:
        folder: the results folder.
        writable: take the folder's lock on entering.

    Raises:
        LedgerError: on entering or reading: the folder cannot be used, or is of a newer schema.
        LedgerLockedError: on entering: another driver writes to this folder.
    """

    def __init__(self, folder: Path, *, writable: bool = False) -> None:
        self.folder = Path(folder)
        self.writable = writable
        self._lock: FolderLock | None = None
        self._batches = Batches(self.folder)
        self._known: dict[str, dict[int, int]] = {}
        """trial_id -> attempt -> rank of its state."""

    def __enter__(self) -> Self:
        if self.folder.exists() and not self.folder.is_dir():
            raise LedgerError(f"results folder {str(self.folder)!r} is a file; name a folder with --results")
        if self.writable:
            self._open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder; safe to call twice."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    # -- writing ---------------------------------------------------------------------------------------------------

    def append(self, outcomes: Sequence[TrialOutcome], epochs: pa.Table | None = None) -> int:
        """Write outcomes and their epoch rows; durable on return. Return how many rows were new.

        An attempt that the ledger has in this state or a better one is not written again. Epoch rows of attempts that
        are not written are left out with them.

        Raises:
            LedgerError: the disk is full or cannot be written; nothing of this call is in the ledger then.
            ValueError: epoch rows of attempts that are not among `outcomes`; unknown columns.
        """
        self._require_lock()
        new = self._news(outcomes)
        every = schema.epochs_table(epochs) if epochs is not None and len(epochs) else None
        if every is not None and len(rows_of(every, _index(outcomes))) != len(every):
            raise ValueError("epoch rows of attempts that are not among the outcomes appended with them")
        if not new:
            return 0
        rows = schema.trials_table(new)
        self._write(rows, rows_of(every, rows) if every is not None else None, small=True)
        self._learn(rows)
        if len(self._batches.live()) >= MOST_BATCHES:
            self.compact()
        return len(new)

    def compact(self) -> None:
        """Put small batches together into a large one: write it, then delete them.

        A crash in between is harmless: the large file names the batches that it replaces, and these stop counting with
        its rename. Batches with a broken file stay as they are.
        """
        self._require_lock()
        merged = self._mergeable()
        if len(merged) < 2:
            return
        tables = [self._batches.trials(batch) for batch in merged]
        count = chosen(tables, every_attempt=True)
        rows = schema.union("trials", tables).take(count)
        epochs = self._epochs_of(merged, tables, count)
        replaces = sorted(file.batch for file, _ in merged)
        self._write(rows, epochs, small=False, replaces=replaces)
        self._delete(merged)

    def _open(self) -> None:
        with files.os_errors(f"results folder {str(self.folder)!r} cannot be written"):
            for folder in (self._batches.trials_folder, self._batches.epochs_folder):
                folder.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(self.folder)
        lock.take()
        self._lock = lock
        try:
            self._refresh()
            with files.os_errors(f"results folder {str(self.folder)!r} cannot be written"):
                self._clear_up()
        except BaseException:
            self.close()
            raise

    def _clear_up(self) -> None:
        """Remove what a killed driver left: temporary files, replaced batches, epoch rows that were never appended."""
        files.sweep(self._batches.trials_folder)
        files.sweep(self._batches.epochs_folder)
        self._delete(self._batches.leftovers())
        committed = {file.batch for file in files.scan(self._batches.trials_folder)[0]}
        for file in files.scan(self._batches.epochs_folder)[0]:
            if file.batch not in committed:
                file.path.unlink(missing_ok=True)

    def _write(self, rows: pa.Table, epochs: pa.Table | None, *, small: bool, replaces: Sequence[str] = ()) -> None:
        batch = files.new_batch()
        written: list[Path] = []
        try:
            with files.os_errors(f"results folder {str(self.folder)!r} cannot be written"):
                if epochs is not None and len(epochs):
                    file, _ = files.write_batch(self._batches.epochs_folder, epochs, small=small, batch=batch)
                    written.append(file.path)
                facts = {"epochs": written[0].name if written else "", "replaces": list(replaces)}
                added = files.write_batch(self._batches.trials_folder, rows, small=small, batch=batch, **facts)
        except BaseException:
            for path in written:  # the trials file was not renamed, so these rows do not count; free the disk
                files.discard(path)
            raise
        self._batches.add(*added)

    def _delete(self, batches: Iterable[Batch]) -> None:
        """Delete replaced batches. A file that cannot be deleted is harmless: it does not count."""
        for file, head in batches:
            epochs = self._batches.epochs_file(head)
            if epochs is not None:
                files.discard(epochs.path)
            files.discard(file.path)
            self._batches.drop([file])

    def _mergeable(self) -> list[Batch]:
        """Return the batches to put together: the smallest ones, as long as one is not larger than all before it.

        Each row is so rewritten a logarithmic number of times, and at most a logarithmic number of files stays.
        """
        whole = sorted((batch for batch in self._batches.live() if self._whole(batch)), key=self._size)
        length = total = 0
        for place, size in enumerate(map(self._size, whole)):
            if total + size > LARGEST_BYTES:
                break
            if size <= 2 * max(total, 2**16):
                length = place + 1
            total += size
        return sorted(whole[:length], key=lambda batch: batch[0].batch)

    def _size(self, batch: Batch) -> int:
        epochs = self._batches.epochs_file(batch[1])
        return batch[1].n_bytes + (epochs.path.stat().st_size if epochs is not None else 0)

    def _whole(self, batch: Batch) -> bool:
        epochs = self._batches.epochs_file(batch[1])
        return epochs is None or (epochs.path.exists() and epochs.path not in self._batches.broken)

    def _news(self, outcomes: Sequence[TrialOutcome]) -> list[TrialOutcome]:
        best: dict[tuple[str, int], TrialOutcome] = {}
        for outcome in outcomes:
            key = (outcome.spec.trial_id, outcome.attempt)
            before = schema.RANK[best[key].state] if key in best else self._known.get(key[0], {}).get(key[1], 0)
            if schema.RANK[outcome.state] > before:
                best[key] = outcome
        return list(best.values())

    def _require_lock(self) -> None:
        if self._lock is None:
            raise LedgerError(f"results folder {str(self.folder)!r} is open for reading only")

    # -- a study's files, checkpoints, repair ------------------------------------------------------------------------

    def write_study(self, name: str, study_json: Mapping[str, Any], plan: pa.Table) -> None:
        """Write a study's description and plan; after a crash both are the old or both are the new."""
        self._require_lock()
        studies.write_study(self.folder, name, study_json, plan)

    def read_study(self, name: str) -> tuple[dict[str, Any], pa.Table]:
        """Return a study's description and plan, as last written; see `studies.read_study` for errors."""
        return studies.read_study(self.folder, name)

    def study_folder(self, name: str) -> Path:
        """Return where a study's files lie; not made by this call."""
        return studies.study_folder(self.folder, name)

    def study_names(self) -> list[str]:
        """Return the studies that were planned in this results folder."""
        return studies.study_names(self.folder)

    def checkpoint_folder(self, bundle_id: str) -> Path:
        """Return where a bundle's resumable state lies; not made by this call."""
        return self.folder / "checkpoints" / bundle_id

    def unfinished_bundles(self) -> list[str]:
        """Return the bundle_ids that have something in their checkpoint folder."""
        with files.os_errors("the ledger cannot be read"):
            found = (self.folder / "checkpoints").glob("*/*")
            return sorted({path.parent.name for path in found if not path.name.startswith(".")})

    def forget_bundle(self, bundle_id: str) -> None:
        """Delete a bundle's checkpoints: it is finished."""
        self._require_lock()
        with files.os_errors(f"checkpoints of bundle {bundle_id} cannot be deleted"):
            folder = self.checkpoint_folder(bundle_id)
            if folder.exists():
                shutil.rmtree(folder)

    def problems(self) -> list[str]:
        """Read every file and return one line for each that is broken, foreign or of unknown columns."""
        return list(find_problems(self.folder).values())

    def repair(self) -> list[str]:
        """Move what `problems` names to `quarantine/`, except files that only hold unknown columns; return the lines.

        What is moved did not count before either; the rest of the ledger reads as it did.
        """
        self._require_lock()
        found = find_problems(self.folder)
        live = {file.path for file, _ in self._batches.live()}
        quarantine(self.folder, [path for path in found if path not in live])
        self._batches.broken.clear()
        self._refresh()
        return [line for path, line in found.items() if path not in live]

    # -- asking ----------------------------------------------------------------------------------------------------

    def states(self, trial_ids: Iterable[str]) -> dict[str, TrialState]:
        """Return the state of those trials that were attempted, as the read view has it."""
        self._refresh_reader()
        of_rank = {rank: state for state, rank in schema.RANK.items()}
        met = ((trial_id, self._known.get(trial_id)) for trial_id in trial_ids)
        return {trial_id: of_rank[max(attempts.values())] for trial_id, attempts in met if attempts}

    def complete(self, trial_ids: Iterable[str]) -> set[str]:
        """Return those of the trials that are hits."""
        return {trial_id for trial_id, state in self.states(trial_ids).items() if state is TrialState.COMPLETE}

    def next_attempt(self, trial_id: str) -> int:
        """Return the number that the next attempt of a trial takes, from 1."""
        self._refresh_reader()
        return 1 + max(self._known.get(trial_id, ()), default=0)

    def trials(self, view: bool = True) -> pd.DataFrame:
        """Return the trials table: one row a trial_id, or with `view=False` one row an attempt.

        Columns as in the package's docstring; whole-number columns with absent values are float64, as pandas has it.
        """
        return self._steady(lambda: self._trials(every_attempt=not view, only=None))

    def attempts(self, trial_id: str) -> pd.DataFrame:
        """Return every attempt of one trial, in order."""
        return self._steady(lambda: self._trials(every_attempt=True, only=[trial_id]))

    def epochs(self, trial_ids: Iterable[str] | None = None, view: bool = True) -> pd.DataFrame:
        """Return the epoch rows of the attempts that `trials(view)` shows, of all trials or of these."""
        only = None if trial_ids is None else list(trial_ids)
        return self._steady(lambda: self._epochs(every_attempt=not view, only=only))

    def _trials(self, *, every_attempt: bool, only: Sequence[str] | None) -> pd.DataFrame:
        tables = [self._batches.trials(batch) for batch in self._batches.live()]
        rows = chosen(tables, every_attempt=every_attempt, only=only)
        frame: pd.DataFrame = schema.union("trials", tables).take(rows).to_pandas()
        return frame

    def _epochs(self, *, every_attempt: bool, only: Sequence[str] | None) -> pd.DataFrame:
        live = self._batches.live()
        tables = [self._batches.trials(batch, INDEX_COLUMNS) for batch in live]
        rows = self._epochs_of(live, tables, chosen(tables, every_attempt=every_attempt, only=only))
        frame: pd.DataFrame = rows.to_pandas()
        return frame

    def _epochs_of(self, batches: Sequence[Batch], tables: Sequence[pa.Table], count: np.ndarray) -> pa.Table:
        """Return the epoch rows of the trials rows `count`, each from the batch that its trial came with."""
        parts, start = [], 0
        for batch, table in zip(batches, tables, strict=True):
            own = count[(count >= start) & (count < start + len(table))] - start
            start += len(table)
            epochs = self._batches.epochs(batch) if len(own) else None
            if epochs is not None:
                parts.append(epochs if len(own) == len(table) else rows_of(epochs, table.take(own)))
        return schema.union("epochs", parts)

    def _steady(self, look: Callable[[], Answer]) -> Answer:
        """Return `look()`; start over if a driver's compaction takes files away under it."""
        for _ in range(RESTARTS):
            self._refresh_reader()
            try:
                return look()
            except FileNotFoundError:
                self._refresh()
        raise LedgerError(f"results folder {str(self.folder)!r} changes faster than it can be read; try again")

    def _refresh_reader(self) -> None:
        if self._lock is None:  # a driver is the only writer: what it knows is up to date
            self._refresh()

    def _refresh(self) -> None:
        for _ in range(RESTARTS):
            new, gone = self._batches.refresh()
            if gone:
                self._known.clear()
                new = self._batches.live()
            try:
                for batch in new:
                    self._learn(self._batches.trials(batch, INDEX_COLUMNS))
                return
            except FileNotFoundError:
                self._known.clear()
                self._batches.drop([file for file, _ in self._batches.live()])
        raise LedgerError(f"results folder {str(self.folder)!r} changes faster than it can be read; try again")

    def _learn(self, rows: pa.Table) -> None:
        ranks = {str(state): rank for state, rank in schema.RANK.items()}
        names = (rows[name].to_pylist() for name in INDEX_COLUMNS)
        for trial_id, attempt, state in zip(*names, strict=True):
            attempts = self._known.setdefault(trial_id, {})
            attempts[attempt] = max(attempts.get(attempt, 0), ranks[state])


def _index(outcomes: Sequence[TrialOutcome]) -> pa.Table:
    return pa.table(
        {
            "trial_id": pa.array([outcome.spec.trial_id for outcome in outcomes], pa.string()),
            "attempt": pa.array([outcome.attempt for outcome in outcomes], pa.int64()),
        }
    )
