"""The ledger itself: appending outcomes durably, and answering what is known of which trial."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pyarrow as pa

from orchestrator.errors import LedgerError, RequestError
from orchestrator.ledger import files, plain_files, retractions, schema
from orchestrator.ledger.checkpoints import Checkpoints
from orchestrator.ledger.doctor import Doctor
from orchestrator.ledger.kept import Kept
from orchestrator.ledger.lock import FolderLock
from orchestrator.ledger.logs import Logs
from orchestrator.ledger.rows import compaction, index, reading
from orchestrator.ledger.rows.batches import Batches, retry_while_changing
from orchestrator.ledger.rows.index import Index
from orchestrator.ledger.rows.view import rows_of
from orchestrator.ledger.studies import StudyFiles
from orchestrator.trial import TrialOutcome, TrialState

if TYPE_CHECKING:
    import pandas as pd

    from orchestrator.ledger.merging import Merged

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
        patience: for how many seconds to wait for a driver that holds the folder.

    Raises:
        LedgerError: on entering or reading: the folder cannot be used, or is of a newer schema.
        LedgerLockedError: on entering: another driver writes to this folder.
    """

    def __init__(self, folder: Path, *, writable: bool = False, take_over: bool = False, patience: float = 0.0) -> None:
        self.folder = Path(folder)
        self.writable, self.take_over, self.patience = writable, take_over, patience
        self._lock: FolderLock | None = None
        self._batches = Batches(self.folder)
        self.studies = StudyFiles(self.folder, self._require_lock)
        self.checkpoints = Checkpoints(self.folder, self._require_lock)
        self.logs = Logs(self.folder, self._require_lock)
        self.kept = Kept(self.folder, self._require_lock)
        self.doctor = Doctor(self.folder, self._batches, self._require_lock)
        self._known, self._known_version = Index(), -1
        """What a driver knows of each trial (a reader asks the files), and the `Batches.version` it was made of."""

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
        new = _new_outcomes(outcomes, self._index())
        every = schema.epochs_table(epochs) if epochs is not None and len(epochs) else None
        keys = set() if every is None else _keys(every, outcomes, self._known)
        if not new:
            return 0
        rows = schema.trials_table(new)
        if every is not None and not keys <= _keys_of(new):
            every = rows_of(every, rows)
        compaction.write(self._batches, rows, every)
        self._known.add(index.compact(rows))
        if len(self._batches) >= MOST_BATCHES:
            self.compact()
        return len(new)

    def compact(self) -> None:
        """Put small batches together into large ones: write each, then delete what it replaces.

        A crash in between is harmless: the large file names the batches that it replaces, and these stop counting with
        its rename. Batches with a broken file stay as they are.
        """
        self._require_lock()

        def merge() -> None:
            while len(merged := compaction.mergeable(self._batches)) > 1:
                compaction.merge(self._batches, merged)

        retry_while_changing(self._batches, merge)

    def _open(self) -> None:
        files.require_folder(self.folder)
        with files.os_errors(f"results folder {str(self.folder)!r} cannot be written"):
            for name in ("trials", "epochs"):
                plain_files.inside(self.folder, name).mkdir(parents=True, exist_ok=True)
        lock = FolderLock(self.folder, take_over=self.take_over, patience=self.patience)
        lock.take()
        self._lock = lock
        try:
            retry_while_changing(self._batches, self._batches.refresh)
            self._index()  # before anything is deleted: a driver knows every trial from here on
            with files.os_errors(f"results folder {str(self.folder)!r} cannot be written"):
                compaction.clear_up(self._batches)
        except BaseException:
            self.close()
            raise

    def announce(self, **facts: Any) -> None:
        """Tell readers more of this driver: `dashboard`, where its cluster can be looked at; what it runs."""
        self._require_lock()
        assert self._lock is not None
        with files.os_errors(f"the lock of results folder {str(self.folder)!r} cannot be written"):
            self._lock.announce(facts)

    def _require_lock(self) -> None:
        if self._lock is None:
            raise LedgerError(f"results folder {str(self.folder)!r} is open for reading only")
        with files.os_errors(f"the lock of results folder {str(self.folder)!r} cannot be read"):
            self._lock.require()

    # -- taking back, taking in ----------------------------------------------------------------------------------------

    def retract(self, trial_ids: Iterable[str], reason: str) -> int:
        """Retract trials: their rows stay, and count as nothing; return how many. See `retractions`.

        Raises:
            RequestError: a trial that has no attempt that counts, or a reason that is none.
        """
        self._require_lock()
        asked = sorted(set(trial_ids))
        known = self._index()
        strange = [trial_id for trial_id in asked if not known.rank(trial_id)]
        if strange or not asked:
            raise RequestError(
                f"trial {strange[0] if strange else ''!r} has no attempt that counts in {str(self.folder)!r}: "
                "there is nothing to retract"
            )
        retractions.add(self.folder, {trial_id: max(known.attempts(trial_id)) for trial_id in asked}, reason)
        self._batches.look_for_retractions()
        return len(asked)

    def merge(self, other: Path) -> Merged:
        """Put another results folder into this one; see `merging`."""
        from orchestrator.ledger.merging import merge_folders  # readers do without what bundles are made of

        self._require_lock()
        self._index()
        made, self._known_version = merge_folders(self.folder, self._batches, other), -1
        self._batches.look_for_retractions()
        self.kept.bring(other)
        return made

    def retracted(self) -> dict[str, retractions.Retraction]:
        """Return what was retracted, by trial_id, with the reason."""
        return retractions.read(self.folder)

    # -- asking ----------------------------------------------------------------------------------------------------

    def states(self, trial_ids: Iterable[str]) -> dict[str, TrialState]:
        """Return the state of those trials that were attempted, as the read view has it."""
        asked = list(trial_ids)
        known, of_rank = self._known_of(asked), {rank: state for state, rank in schema.RANK.items()}
        states = {}
        for trial_id in asked:
            if rank := known.rank(trial_id):
                states[trial_id] = of_rank[rank]
        return states

    def complete(self, trial_ids: Iterable[str]) -> set[str]:
        """Return those of the trials that are hits."""
        return {trial_id for trial_id, state in self.states(trial_ids).items() if state is TrialState.COMPLETE}

    def next_attempt(self, trial_id: str) -> int:
        """Return the number that the next attempt of a trial takes, from 1."""
        return 1 + max(self._known_of([trial_id]).attempts(trial_id), default=0)

    def trials(self, view: bool = True, *, only: Iterable[str] | None = None) -> pd.DataFrame:
        """Return the trials table, or these trials of it: one row a trial_id, or with `view=False` one row an attempt.

        Columns as in the package's docstring; whole-number columns with absent values are float64, as pandas has it.
        """
        frame: pd.DataFrame = self.table(view, only=only).to_pandas()
        return frame

    def table(
        self, view: bool = True, *, only: Iterable[str] | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Return the trials table as Arrow has it; pandas is not loaded.

        Args:
            view: one row a trial; else one an attempt.
            only: these trials, of which little more than their rows is read; None: all.
            columns: these columns, as far as there are any of their name; None: all.
        """
        asked = None if only is None else list(only)
        return self._steady(lambda: reading.trials(self._batches, every_attempt=not view, only=asked, columns=columns))

    def ids_of(self, beginnings: Iterable[str]) -> list[str]:
        """Return the attempted trial that begins so, for each beginning of an id.

        Raises:
            RequestError: no trial begins so, or several do.
        """
        return [self._steady(partial(reading.id_of, self._batches, one.strip())) for one in beginnings]

    def epochs(self, trial_ids: Iterable[str] | None = None, view: bool = True) -> pd.DataFrame:
        """Return the epoch rows of the attempts that `trials(view)` shows, of all trials or of these."""
        frame: pd.DataFrame = self.epoch_table(trial_ids, view).to_pandas()
        return frame

    def epoch_table(self, trial_ids: Iterable[str] | None = None, view: bool = True) -> pa.Table:
        """Return what `epochs` does, as Arrow has it; pandas is not loaded."""
        only = None if trial_ids is None else list(trial_ids)
        return self._steady(lambda: reading.epochs(self._batches, every_attempt=not view, only=only))

    def _steady(self, look: Callable[[], Answer]) -> Answer:
        def refreshed() -> Answer:
            if self._lock is None:  # a driver is the only writer: what it knows is up to date
                self._batches.refresh()
            return look()

        return retry_while_changing(self._batches, refreshed)

    def _known_of(self, trial_ids: Sequence[str]) -> Index:
        """Return what is known of some trials: a driver's index, or, to a reader, what the files say of them."""
        if self._lock is not None:
            return self._index()
        return self._steady(lambda: index.of_trials(self._batches.tables(self._batches.live()), trial_ids))

    def _index(self) -> Index:
        """Return a driver's index; made again if a file that it was made of turned out broken."""
        if self._known_version != self._batches.version:
            self._known = Index()
            for table in self._batches.tables(self._batches.live()):
                self._known.add(table)
            self._known_version = self._batches.version
        return self._known


def _keys(epochs: pa.Table, outcomes: Sequence[TrialOutcome], known: Index) -> set[tuple[str, int]]:
    """Return (trial_id, attempt) of epoch rows; refuse those that are neither among `outcomes` nor known."""
    keys = set(zip(epochs["trial_id"].to_pylist(), epochs["attempt"].to_pylist(), strict=True))
    foreign = keys - _keys_of(outcomes)
    strange = [key for key in foreign if key[1] not in known.attempts(key[0])]
    if strange:
        raise ValueError(f"epoch rows of attempts that are not among the outcomes appended with them: {strange[:3]}")
    return keys


def _keys_of(outcomes: Iterable[TrialOutcome]) -> set[tuple[str, int]]:
    return {(outcome.spec.trial_id, outcome.attempt) for outcome in outcomes}


def _new_outcomes(outcomes: Iterable[TrialOutcome], known: Index) -> list[TrialOutcome]:
    """Return the outcomes of attempts that are not known in this state or a better one, the best of each attempt."""
    best: dict[tuple[str, int], TrialOutcome] = {}
    for outcome in outcomes:
        key = (outcome.spec.trial_id, outcome.attempt)
        before = schema.RANK[best[key].state] if key in best else known.attempts(key[0]).get(key[1], 0)
        if schema.RANK[outcome.state] > before:
            best[key] = outcome
    return list(best.values())
