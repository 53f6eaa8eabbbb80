"""The plans of a folder's studies, read again when their files change and at no other time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analysis.live.searches import FollowedSearch
from orchestrator.errors import OrchestratorError
from orchestrator.ledger.studies import read_study, study_folder, study_names

__all__ = ["FollowedStudies", "FollowedStudy", "stamp"]

FILES = ("plan.parquet", "looks.jsonl")
"""What `read_study` reads of a study."""

Stamp = tuple[tuple[str, int, int], ...]
"""Names, times and sizes of files: as long as it is the same, so are they."""

Slots = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FollowedStudy:
    """A study as its files have it."""

    name: str
    record: Mapping[str, Any]
    slots: Slots
    """Of its trials, each once."""
    confirm_slots: Slots
    """Of its confirmed trials, in the order of the plan."""
    confirm_seeds: Slots
    """Seeds of these."""
    searches: tuple[FollowedSearch, ...] = ()
    """Of the record, in its order."""


def stamp(paths: Iterable[Path]) -> Stamp:
    """Return names, times and sizes of those files that there are; opens none."""
    found = []
    for path in paths:
        try:
            known = os.stat(path)
        except OSError:
            continue
        found.append((str(path), known.st_mtime_ns, known.st_size))
    return tuple(found)


class FollowedStudies:
    """The studies of a folder.

    Args:
        results: the results folder.
        slots_of: gives trials their slots.
    """

    def __init__(self, results: Path, slots_of: Callable[[Iterable[str]], Slots]) -> None:
        self._results, self._slots_of = results, slots_of
        self._known: dict[str, tuple[Stamp, FollowedStudy | None]] = {}
        self.problem = ""
        """What is wrong with the first study that cannot be read; empty: nothing."""

    def stamps(self) -> dict[str, Stamp]:
        """Return the stamp of each study's files."""
        return {name: self._stamp(name) for name in study_names(self._results)}

    def look(self) -> list[FollowedStudy]:
        """Return the studies that can be read, by name; those whose files are those of before are not read again."""
        stamps, self.problem = self.stamps(), ""
        known, self._known = self._known, {}
        for name, now in stamps.items():
            before = known.get(name)
            if before is None or before[0] != now or before[1] is None:
                before = self._read(name, before[1].searches if before is not None and before[1] is not None else ())
            self._known[name] = before
        return [study for _, study in self._known.values() if study is not None]

    def _stamp(self, name: str) -> Stamp:
        folder = study_folder(self._results, name)
        return stamp(folder / file for file in FILES)

    def _read(self, name: str, followed: Sequence[FollowedSearch]) -> tuple[Stamp, FollowedStudy | None]:
        """Read a study; of its searches that were followed already, those go on that are the same."""
        now = self._stamp(name)
        try:
            record, plan = read_study(self._results, name)
        except OrchestratorError as error:
            self.problem = self.problem or str(error)
            return now, None
        slots = self._slots_of(plan["trial_id"].to_pylist())
        confirmed = _where(plan, phase="confirm")
        searches = []
        for search in record.get("searches", ()):
            own = _where(plan, phase="search", method=search["method"], dataset=search["dataset"])
            same = (one for one in followed if one.is_of(search, slots[own]))
            searches.append(next(same, None) or FollowedSearch(search, slots[own]))
        seeds = plan["seed"].to_numpy()[confirmed]
        return now, FollowedStudy(name, record, np.unique(slots), slots[confirmed], seeds, tuple(searches))


def _where(plan: pa.Table, **wanted: str) -> npt.NDArray[np.bool_]:
    """Return which rows of a plan have these values."""
    found = np.ones(len(plan), np.bool_)
    for name, value in wanted.items():
        found &= pc.equal(plan[name], value).fill_null(False).to_numpy()
    return found
