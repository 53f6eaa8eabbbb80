"""What the live page shows of a results folder at one moment, and whether anything there changed since."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.errors import OrchestratorError
from orchestrator.inspection.status import status
from orchestrator.ledger.studies import study_names

__all__ = ["Follower", "fingerprint"]

RATE_SECONDS = 60.0
"""Trials a second are counted over this long."""
REST = 20.0
"""Between two looks there is this many times as long as the last one took, so that looking stays below a twentieth."""


def fingerprint(results: Path) -> tuple[tuple[str, int, int], ...]:
    """Return names, times and sizes of what changes when anything is written to a results folder; opens no file."""
    places = [results / "trials", results / "lock", results / "retractions"]
    places += [results / "studies" / name / "study.json" for name in study_names(results)]
    found = []
    for place in places:
        try:
            known = os.stat(place)
        except OSError:
            continue
        found.append((str(place), known.st_mtime_ns, known.st_size))
    return tuple(found)


class Follower:
    """Looks at a results folder as often as something changed there, and seldom enough to leave others their time.

    Args:
        results: the folder.
        clock: seconds that only grow.
    """

    def __init__(self, results: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._results, self._clock = results, clock
        self._seen: tuple[tuple[str, int, int], ...] | None = None
        self._counts: dict[str, deque[tuple[float, int]]] = {}
        self._not_before = -1.0

    def look(self) -> dict[str, Any] | None:
        """Return how far all studies are; None: nothing changed, or the last look was a moment ago."""
        began = self._clock()
        if began < self._not_before:
            return None
        now = fingerprint(self._results)
        if now == self._seen:
            return None
        try:
            studies = status(self._results)
        except OrchestratorError as error:  # shown: a page that stops without a word would look like a run that stands
            found: dict[str, Any] = {"studies": [], "error": str(error)}
        else:
            found = {"studies": [self._told(one) for one in studies], "error": ""}
        self._seen = now
        self._not_before = began + REST * (self._clock() - began)
        return found

    def _told(self, one: dict[str, Any]) -> dict[str, Any]:
        name, ended = str(one["study"]), int(one["trials"]) - int(one["missing"])
        report = self._results / "studies" / name / "report.html"
        return {**one, "rate": self._rate(name, ended), "report": report.is_file() and not report.is_symlink()}

    def _rate(self, name: str, ended: int) -> float:
        """Return trials a second over the last minute; 0 before a second look."""
        now = self._clock()
        counts = self._counts.setdefault(name, deque())
        counts.append((now, ended))
        while len(counts) > 2 and counts[1][0] < now - RATE_SECONDS:
            counts.popleft()
        (start, before), (end, after) = counts[0], counts[-1]
        return round((after - before) / (end - start), 3) if end > start else 0.0
