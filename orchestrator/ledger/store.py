"""The ledger itself: appending outcomes durably, and answering what is known of which trial."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pyarrow as pa

from orchestrator.errors import LedgerError
from orchestrator.ledger import compaction, doctor, files, logs, schema, studies
from orchestrator.ledger.batches import Batch, Batches, retry_while_compacting
from orchestrator.ledger.lock import FolderLock
from orchestrator.ledger.view import INDEX_COLUMNS, chosen, rows_of, taken
from orchestrator.trial import MEMBERS_FILE, TrialOutcome, TrialState, digest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Ledger"]

Answer = TypeVar("Answer")

MOST_BATCHES = 512
"""How many batches may gather before `append` compacts the small ones by itself: bounds files and opening time."""


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
        take_over: take it also from a machine that is silent and whose lock the file server keeps.

    Raises:
        LedgerError: on entering or reading: the folder cannot be used, or is of a newer schema.
        LedgerLockedError: on entering: another driver writes to this folder.
    """

    def __init__(self, folder: Path, *, writable: bool = False, take_over: bool = False) -> None:
        self.folder = Path(folder)
        self.writable, self.take_over = writable, take_over
        self._lock: FolderLock | None = None
        self._batches = Batches(self.folder)
        self._known: dict[str, dict[int, int]] = {}
        """trial_id -> attempt -> rank of its state."""
        self._unread: list[Batch] = []
        """Batches that are not yet in `_known`."""

    def __enter__(self) -> Self:
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

        An attempt that the ledger has in this state or a better one is not written again, nor are its epoch rows, also
        when only these come again.

        Raises:
            LedgerError: the disk is full or cannot be written; nothing of this call is in the ledger then.
            ValueError: epoch rows of attempts that are neither among `outcomes` nor known; unknown columns.
        """
        self._require_lock()
        new = self._news(outcomes)
        every = schema.epochs_table(epochs) if epochs is not None and len(epochs) else None
        keys = set() if every is None else self._keys(every, outcomes)
        if not new:
            return 0
        rows = schema.trials_table(new)
        if every is not None and not keys <= {(outcome.spec.trial_id, outcome.attempt) for outcome in new}:
            every = rows_of(every, rows)
        compaction.write(self._batches, rows, every, small=True)
        self._learn(rows)
        if len(self._batches) >= MOST_BATCHES:
            self.compact()
        return len(new)

    def compact(self) -> None:
        """Put small batches together into a large one: write it, then delete them.

        A crash in between is harmless: the large file names the batches that it replaces, and these stop counting with
        its rename. Batches with a broken file stay as they are.
        """
        self._require_lock()
        merged = compaction.mergeable(self._batches)
        if len(merged) > 1:
            compaction.merge(self._batches, merged)

    def _open(self) -> None:
        files.require_folder(self.folder)
        with files.os_errors(f"results folder {str(self.folder)!r} cannot be written"):
            for folder in (self._batches.trials_folder, self._batches.epochs_folder):
                folder.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(self.folder, take_over=self.take_over)
        lock.take()
        self._lock = lock
        try:
            self._refresh()
            self._index()  # before anything is deleted: a driver knows every trial from here on
            with files.os_errors(f"results folder {str(self.folder)!r} cannot be written"):
                compaction.clear_up(self._batches)
        except BaseException:
            self.close()
            raise

    def _news(self, outcomes: Sequence[TrialOutcome]) -> list[TrialOutcome]:
        best: dict[tuple[str, int], TrialOutcome] = {}
        known = self._index()
        for outcome in outcomes:
            key = (outcome.spec.trial_id, outcome.attempt)
            before = schema.RANK[best[key].state] if key in best else known.get(key[0], {}).get(key[1], 0)
            if schema.RANK[outcome.state] > before:
                best[key] = outcome
        return list(best.values())

    def _keys(self, epochs: pa.Table, outcomes: Sequence[TrialOutcome]) -> set[tuple[str, int]]:
        """Return (trial_id, attempt) of epoch rows; refuse those that are neither among `outcomes` nor known."""
        keys = set(zip(epochs["trial_id"].to_pylist(), epochs["attempt"].to_pylist(), strict=True))
        foreign = keys - {(outcome.spec.trial_id, outcome.attempt) for outcome in outcomes}
        strange = [key for key in foreign if key[1] not in self._known.get(key[0], ())]
        if strange:
            raise ValueError(
                f"epoch rows of attempts that are not among the outcomes appended with them: {strange[:3]}"
            )
        return keys

    def announce(self, dashboard: str) -> None:
        """Tell readers where the cluster that this driver uses can be looked at."""
        self._require_lock()
        assert self._lock is not None
        with files.os_errors(f"the lock of results folder {str(self.folder)!r} cannot be written"):
            self._lock.announce(dashboard)

    def _require_lock(self) -> None:
        if self._lock is None:
            raise LedgerError(f"results folder {str(self.folder)!r} is open for reading only")
        with files.os_errors(f"the lock of results folder {str(self.folder)!r} cannot be read"):
            self._lock.require()

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
        """Return the bundle_ids that have something in their checkpoint folder, the one last written to first."""
        written = []
        with files.os_errors("the ledger cannot be read"):
            for folder in (self.folder / "checkpoints").glob("*"):
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # a worker may be deleting it
                    for path in folder.iterdir():
                        if not path.name.startswith("."):
                            written.append((path.stat().st_mtime_ns, folder.name))
        return list(dict.fromkeys(name for _, name in sorted(written, reverse=True)))

    def members_of(self, bundle_id: str) -> list[str]:
        """Return the ordered trial_ids of a bundle that left a checkpoint; empty if that cannot be told."""
        try:
            members = json.loads((self.checkpoint_folder(bundle_id) / MEMBERS_FILE).read_text())
            return members if isinstance(members, list) and digest(members) == bundle_id else []
        except (OSError, ValueError):
            return []

    def forget_bundle(self, bundle_id: str) -> None:
        """Delete a bundle's checkpoints: it is finished."""
        self._require_lock()
        with files.os_errors(f"checkpoints of bundle {bundle_id} cannot be deleted"):
            folder = self.checkpoint_folder(bundle_id)
            if folder.exists():
                shutil.rmtree(folder)

    def set_bundle_aside(self, bundle_id: str) -> None:
        """Move a bundle's checkpoint, which cannot be used, to `quarantine/`."""
        self._require_lock()
        with files.os_errors(f"checkpoints of bundle {bundle_id} cannot be set aside"):
            doctor.set_aside(self.folder, self.checkpoint_folder(bundle_id))

    def add_log(self, bundle_id: str, what: str, members: Sequence[str], text: str) -> None:
        """Keep what a failure of a bundle left to read; see `logs.add`."""
        self._require_lock()
        logs.add(self.folder, bundle_id, what, members, text)

    def logs_of(self, trial_id: str) -> list[logs.Entry]:
        """Return what failures of bundles left to read that concern a trial, the oldest first."""
        return logs.entries(self.folder, trial_id)

    def problems(self) -> list[str]:
        """Read every file and return one line for each that is broken, foreign or of unknown columns."""
        return list(doctor.find_problems(self.folder).values())

    def repair(self) -> list[str]:
        """Move what `problems` names to `quarantine/`; return its lines.

        What is moved did not count before either: the ledger reads as it did. Batches with a column that is unknown,
        or without the epoch rows that they had, are written anew as they read.
        """
        self._require_lock()
        self._batches.forget_kept()
        found = doctor.repair(self.folder, self._batches)
        self._refresh()
        return found

    # -- asking ----------------------------------------------------------------------------------------------------

    def states(self, trial_ids: Iterable[str]) -> dict[str, TrialState]:
        """Return the state of those trials that were attempted, as the read view has it."""
        known = self._index()
        of_rank = {rank: state for state, rank in schema.RANK.items()}
        met = ((trial_id, known.get(trial_id)) for trial_id in trial_ids)
        return {trial_id: of_rank[max(attempts.values())] for trial_id, attempts in met if attempts}

    def complete(self, trial_ids: Iterable[str]) -> set[str]:
        """Return those of the trials that are hits."""
        return {trial_id for trial_id, state in self.states(trial_ids).items() if state is TrialState.COMPLETE}

    def next_attempt(self, trial_id: str) -> int:
        """Return the number that the next attempt of a trial takes, from 1."""
        return 1 + max(self._index().get(trial_id, ()), default=0)

    def trials(self, view: bool = True) -> pd.DataFrame:
        """Return the trials table: one row a trial_id, or with `view=False` one row an attempt.

        Columns as in the package's docstring; whole-number columns with absent values are float64, as pandas has it.
        """
        frame: pd.DataFrame = self.table(view).to_pandas()
        return frame

    def table(
        self, view: bool = True, *, only: Iterable[str] | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Return the trials table as Arrow has it, for whoever wants some columns of it; pandas is not loaded.

        Args:
            view: one row a trial; else one an attempt.
            only: these trials; None: all.
            columns: these columns, as far as there are any of their name; None: all.
        """
        asked = None if only is None else list(only)
        return self._steady(lambda: self._trials(every_attempt=not view, only=asked, columns=columns))

    def attempts(self, trial_id: str) -> pd.DataFrame:
        """Return every attempt of one trial, in order."""
        frame: pd.DataFrame = self.table(view=False, only=[trial_id]).to_pandas()
        return frame

    def epochs(self, trial_ids: Iterable[str] | None = None, view: bool = True) -> pd.DataFrame:
        """Return the epoch rows of the attempts that `trials(view)` shows, of all trials or of these."""
        frame: pd.DataFrame = self.epoch_table(trial_ids, view).to_pandas()
        return frame

    def epoch_table(self, trial_ids: Iterable[str] | None = None, view: bool = True) -> pa.Table:
        """Return what `epochs` does, as Arrow has it; pandas is not loaded."""
        only = None if trial_ids is None else list(trial_ids)
        return self._steady(lambda: self._epochs(every_attempt=not view, only=only))

    def _trials(self, *, every_attempt: bool, only: Sequence[str] | None, columns: Sequence[str] | None) -> pa.Table:
        needed = None if columns is None else [*dict.fromkeys((*INDEX_COLUMNS, *columns))]
        tables = [self._batches.trials(batch, needed) for batch in self._batches.live()]
        rows = taken(schema.union("trials", tables), chosen(tables, every_attempt=every_attempt, only=only))
        return rows if columns is None else rows.select([name for name in columns if name in rows.column_names])

    def _epochs(self, *, every_attempt: bool, only: Sequence[str] | None) -> pa.Table:
        live = self._batches.live()
        tables = [self._batches.trials(batch, INDEX_COLUMNS) for batch in live]
        return self._batches.epochs_of(live, tables, chosen(tables, every_attempt=every_attempt, only=only))

    def _steady(self, look: Callable[[], Answer]) -> Answer:
        def refreshed() -> Answer:
            self._refresh_reader()
            return look()

        return retry_while_compacting(self._batches, refreshed)

    def _refresh_reader(self) -> None:
        if self._lock is None:  # a driver is the only writer: what it knows is up to date
            self._refresh()

    def _refresh(self) -> None:
        retry_while_compacting(self._batches, self._refresh_once)

    def _refresh_once(self) -> None:
        new, gone = self._batches.refresh()
        if gone:
            self._known.clear()
            new = self._batches.live()
            self._unread.clear()
        self._unread += new

    def _index(self) -> dict[str, dict[int, int]]:
        """Return what is known of each trial, after reading what has come since."""

        def read() -> None:
            self._refresh_reader()
            while self._unread:
                self._learn(self._batches.trials(self._unread[-1], INDEX_COLUMNS))
                self._unread.pop()

        retry_while_compacting(self._batches, read)
        return self._known

    def _learn(self, rows: pa.Table) -> None:
        ranks = {str(state): rank for state, rank in schema.RANK.items()}
        names = (rows[name].to_pylist() for name in INDEX_COLUMNS)
        for trial_id, attempt, state in zip(*names, strict=True):
            attempts = self._known.setdefault(trial_id, {})
            attempts[attempt] = max(attempts.get(attempt, 0), ranks[state])
