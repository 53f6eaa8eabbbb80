"""Putting one results folder into another: the trials of both, once each; where they disagree, that is said.

Trials have the same id in every folder. One that both have complete must have the same numbers, bit for bit, or it is
named, and nothing is merged. An attempt that both have (a folder that was copied and went on in both places) comes
once; another one of a trial that is known here gets the next free number. Studies that are not planned here come along,
and so do looks, retractions and what is kept of trials; checkpoints, profiles and reports do not: they are of the
machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.errors import LedgerError, RequestError
from orchestrator.ledger import profiles, retractions, schema, studies
from orchestrator.ledger.retractions import Retraction
from orchestrator.ledger.rows import compaction, reading
from orchestrator.ledger.rows.batches import Batches, retry_while_changing
from orchestrator.retry_policy import NEVER_TRIED_AGAIN
from orchestrator.trial import TrialState

__all__ = ["Merged", "merge_folders"]

PORTION = 10_000
"""Trials that are compared at a time."""

SAME = ("state", "started_at", "finished_at", "bundle_id")
"""Two attempts of a trial that agree in these are one: no machine trains a trial twice at one moment."""

COLUMNS = [*SAME, "trial_id", "attempt", "failure_kind"]


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What came of it."""

    n_trials: int
    """Trials that were not known here."""
    n_attempts: int
    """Rows that came."""
    n_agree: int
    """Trials complete in both folders, with the same numbers."""
    studies: tuple[str, ...]
    """Studies that were not planned here."""
    planned_otherwise: tuple[str, ...]
    """Studies that both have, with other trials: the plan here stays, until the study is run again."""

    def sentence(self, other: Path) -> str:
        """Return it in one line."""
        came = f"{self.n_attempts} attempts of {self.n_trials} new trials came from {other}; {self.n_agree} agree"
        new = f"; new studies: {', '.join(self.studies)}" if self.studies else ""
        differ = ", ".join(self.planned_otherwise)
        return came + new + (f"; planned otherwise there, run them again here: {differ}" if differ else "")


def merge_folders(results: Path, batches: Batches, other: Path) -> Merged:
    """Put the rows, studies, looks and retractions of `other` into `results`, whose driver holds the lock.

    Args:
        results: the results folder.
        batches: its batches, up to date.
        other: the folder whose content comes; it is only read.

    Raises:
        RequestError: `other` is this folder, or holds no ledger.
        LedgerError: trials that both have complete differ; nothing was merged. Or a folder cannot be read or written.
    """
    if not (other / "trials").is_dir() or other.resolve() == results.resolve():
        raise RequestError(f"merge {str(other)!r}: name another results folder, with trials in it")
    planned = studies.read_studies(other)
    theirs = Batches(other)
    n_agree = retry_while_changing(theirs, lambda: _agreeing(batches, theirs))
    places: dict[tuple[str, int], int] = {}
    n_trials = n_attempts = 0
    for batch in theirs.live():
        rows = theirs.trials(batch)
        taken, n_new = _taken(batches, rows, places)
        if len(taken):
            attempts = taken.select(["trial_id", "attempt"])
            parts = (_renumbered(part, places) for part in theirs.parts(batch, attempts))
            compaction.write_parts(batches, _renumbered(taken, places), parts, theirs.epochs_schema(batch))
            n_trials, n_attempts = n_trials + n_new, n_attempts + len(taken)
    known = studies.study_names(results)
    otherwise = [name for name in planned if not _add_study(results, other, name, *planned[name])]
    retractions.merge(results, _retractions(theirs, places))
    return Merged(
        n_trials=n_trials,
        n_attempts=n_attempts,
        n_agree=n_agree,
        studies=tuple(sorted(planned.keys() - set(known))),
        planned_otherwise=tuple(otherwise),
    )


def _agreeing(batches: Batches, theirs: Batches) -> int:
    """Return how many trials are complete in both folders, with the same numbers.

    Raises:
        LedgerError: some have other numbers; the line names one, and says how many.
    """
    theirs.refresh()
    both = sorted(_complete(batches) & _complete(theirs))
    differ: list[str] = []
    for start in range(0, len(both), PORTION):
        some = both[start : start + PORTION]
        differ += _differing(_numbers(batches, some), _numbers(theirs, some))
    if differ:
        raise LedgerError(
            f"trial {differ[0]} is complete in {str(batches.folder)!r} and, with other numbers, in "
            f"{str(theirs.folder)!r} ({len(differ)} such of {len(both)}): nothing was merged; "
            "retract it in one of them, with the reason"
        )
    return len(both)


def _complete(batches: Batches) -> set[str]:
    found: set[str] = set()
    for batch in batches.live():
        rows = batches.index(batch)
        found.update(rows.filter(pc.equal(rows["rank"], schema.RANK[TrialState.COMPLETE]))["trial_id"].to_pylist())
    return found


def _numbers(batches: Batches, trial_ids: Sequence[str]) -> pa.Table:
    """Return what a trial's training decides, of trials by id."""
    rows = reading.trials(batches, every_attempt=False, only=trial_ids).sort_by("trial_id")
    names = ["trial_id", "config", "collapsed"]
    for name in rows.column_names:
        if name.startswith("metric."):
            names.append(name)
    return rows.select(names)


def _differing(ours: pa.Table, theirs: pa.Table) -> list[str]:
    differs = pc.not_equal(ours["config"], theirs["config"]).to_numpy()
    for name in {*ours.column_names, *theirs.column_names} - {"trial_id", "config"}:
        one, other = _values(ours, name), _values(theirs, name)
        differs = differs | ~((one == other) | (np.isnan(one) & np.isnan(other)))
    found: list[str] = ours["trial_id"].filter(pa.array(differs)).to_pylist()
    return found


def _values(rows: pa.Table, name: str) -> npt.NDArray[np.float64]:
    if name not in rows.column_names:
        return np.full(len(rows), np.nan)
    values: npt.NDArray[np.float64] = rows[name].cast(pa.float64()).to_numpy()
    return values


def _taken(batches: Batches, rows: pa.Table, places: dict[tuple[str, int], int]) -> tuple[pa.Table, int]:
    """Return those rows of the other folder that are no attempt known here, and how many of their trials are new.

    What becomes of an attempt goes to `places`, (trial_id, attempt there) -> attempt here, if its number changes.
    """
    ids = rows["trial_id"].unique()
    known = _known_here(batches, ids.cast(pa.string()))
    n_new = len(ids) - len(known)
    if not len(known):
        return rows, n_new
    ours: dict[str, list[dict[str, Any]]] = {}
    for row in reading.trials(batches, every_attempt=True, only=known.to_pylist(), columns=COLUMNS).to_pylist():
        retracted = batches.retracted.get(row["trial_id"])
        row["counts"] = retracted is None or row["attempt"] > retracted.up_to
        ours.setdefault(row["trial_id"], []).append(row)
    keep = np.ones(len(rows), bool)
    for place, row in enumerate(rows.select(COLUMNS).to_pylist()):
        if row["trial_id"] in ours:
            keep[place] = _is_new(row, ours[row["trial_id"]], places)
    return rows.filter(pa.array(keep)), n_new


def _known_here(batches: Batches, ids: pa.Array) -> pa.Array:
    """Return those of some trials that have an attempt here, retracted or not."""
    chunks: list[pa.Array] = []
    for table in batches.tables(batches.live(), retracted=True):
        chunks += table.filter(pc.is_in(table["trial_id"], value_set=ids))["trial_id"].chunks
    return pc.unique(pa.chunked_array(chunks, pa.string()))


def _is_new(row: Mapping[str, Any], ours: list[dict[str, Any]], places: dict[tuple[str, int], int]) -> bool:
    """Return whether an attempt there is none of those here; it is one of `ours` from here on, under a free number.

    One that failed as one here did, and always would, is none; nor is a complete one, if there is one here: they have
    the same numbers, as `_agreeing` saw.
    """
    key = (row["trial_id"], row["attempt"])
    for one in ours:
        moment = one["started_at"] is not None or one["attempt"] == row["attempt"]
        complete = one["state"] == row["state"] == TrialState.COMPLETE
        repeated = row["failure_kind"] in NEVER_TRIED_AGAIN and row["failure_kind"] == one["failure_kind"]
        if ((complete or repeated) and one["counts"]) or (moment and all(one[name] == row[name] for name in SAME)):
            places[key] = one["attempt"]
            return False
    places[key] = 1 + max(one["attempt"] for one in ours)
    ours.append({**row, "attempt": places[key], "counts": True})
    return True


def _renumbered(rows: pa.Table, places: Mapping[tuple[str, int], int]) -> pa.Table:
    """Return rows of the other folder with the attempts' numbers here."""
    numbers = []
    for trial_id, attempt in zip(rows["trial_id"].to_pylist(), rows["attempt"].to_pylist(), strict=True):
        numbers.append(places.get((trial_id, attempt), attempt))
    return rows.set_column(rows.column_names.index("attempt"), "attempt", pa.array(numbers, pa.int64()))


def _add_study(results: Path, other: Path, name: str, record: Mapping[str, Any], plan: pa.Table) -> bool:
    """Take over a study of the other folder, or the looks at it; return False if it is planned otherwise here."""
    if name not in studies.study_names(results):
        studies.write_study(results, name, record, plan)
        profiles.write_limits(results, name, profiles.read_limits(other, name))
        return True
    known, own = studies.read_study(results, name)
    taken = studies.looks_taken(known)
    for look in record.get("looks_taken", ()):
        if look["n_seeds"] not in taken:
            studies.add_look(results, name, look)
    return set(own["trial_id"].to_pylist()) == set(plan["trial_id"].to_pylist())


def _retractions(theirs: Batches, places: Mapping[tuple[str, int], int]) -> Iterator[Retraction]:
    """Yield what was retracted there, with the attempts' numbers here."""
    for one in theirs.retracted.values():
        up_to = 0
        for attempt in range(1, one.up_to + 1):
            up_to = max(up_to, places.get((one.trial_id, attempt), attempt))
        yield replace(one, up_to=up_to)
