"""What the live page shows of a results folder at one moment, and whether anything there changed since."""

from __future__ import annotations

import itertools
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from analysis.live import kept_rows, search_rows, searches
from analysis.live.costs import costs_told, run_told, whole_of
from analysis.live.kept_rows import COMPLETE, PRUNED, KeptRows
from analysis.live.looks import looks_told
from analysis.live.search_rows import SearchRows
from analysis.live.studies import FollowedStudies, FollowedStudy, Stamp, stamp
from orchestrator.errors import OrchestratorError
from orchestrator.ledger import retractions
from orchestrator.ledger.lock import announcement_of, holder_of
from orchestrator.ledger.rows.following import Following

__all__ = ["Follower"]

RATE_SECONDS = 60.0
"""Trials a second are counted over this long."""
REST = 20.0
"""Between two looks there is this many times as long as the last one took, so that looking stays below a twentieth."""
MOST_REST = 15.0
"""Seconds; a look that reads everything anew is a rare one."""
YOUNG_SECONDS = 0.1
"""What changes within a tick of the kernel's clock has one time: one as young as this may change unseen."""
MOST_FAILURES = 8
"""Different failures that are told of a study."""

_NOTHING = "nothing"
"""Seen by the first look."""


class Follower:
    """Looks at a results folder as often as something changed there, and seldom enough to leave others their time.

    Args:
        results: the folder.
        clock: seconds that only grow.
    """

    def __init__(self, results: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._results, self._clock = results, clock
        self._begin(())
        self._seen: object = _NOTHING
        self._counts: dict[str, deque[tuple[float, int]]] = {}
        self._not_before = -1.0
        self._is_first = self._may_estimate = self._waits = False
        """Whether this look may estimate importances, and whether anything is left to a later one."""

    def _begin(self, metrics: tuple[str, ...]) -> None:
        """Read everything anew, with the columns that searches under way go by, if there are any."""
        theirs = (*search_rows.COLUMNS, *metrics) if metrics else ()
        self._following = Following(self._results, (*kept_rows.COLUMNS, *theirs))
        self._kept, self._searched = KeptRows(), SearchRows(metrics)
        self._studies = FollowedStudies(self._results, self._following.slots)

    def fingerprint(self) -> Stamp:
        """Return what changes when anything is written to the folder; opens no file."""
        places = (self._results / name for name in ("trials", "lock", retractions.FILE))
        return (*stamp(places), *itertools.chain.from_iterable(self._studies.stamps().values()))

    def look(self) -> dict[str, Any] | None:
        """Return how far all studies are; None: nothing changed, or the last look was a moment ago."""
        began = self._clock()
        if began < self._not_before:
            return None
        self._is_first, self._waits = self._seen == _NOTHING, False
        self._may_estimate = not self._is_first
        try:
            at, now = time.time(), self.fingerprint()
            found = None if now == self._seen else self._look()
            self._waits = self._waits or any(abs(at - one[1] / 1e9) < YOUNG_SECONDS for one in now)
        except OrchestratorError as error:  # shown: a page that stops without a word would look like a run that stands
            now, self._waits = ((str(error), 0, 0),), False
            found = {"studies": [], "error": str(error), "devices": [], "run": None}
            found = None if now == self._seen else found
        self._seen = None if self._waits else now
        if not self._is_first:  # the second look tells what the first one left to it
            self._not_before = began + min(REST * (self._clock() - began), MOST_REST)
        return found

    def _look(self) -> dict[str, Any]:
        studies = self._studies.look()
        needed = {metric for one in studies for metric in searches.metrics_under_way(one.record)}
        if not needed <= set(self._searched.metrics) and self._is_first:
            self._waits = True  # configurations take a second to read: the page has its counts first
        elif not needed <= set(self._searched.metrics):
            self._begin(tuple(sorted(needed)))
            studies = self._studies.look()
        change = self._following.look()
        self._kept.make_room(len(self._following))
        self._kept.take(change)
        self._searched.take(change)
        holder, run = holder_of(self._results), run_told(announcement_of(self._results))
        retracted = self._following.slots(self._following.retracted)
        told = []
        for one in studies:
            own = run if run["study"] == one.name else {}
            told.append({**self._told(one, retracted), **self._cost(one, own), "running": holder})
        return {"studies": told, "error": self._studies.problem, **self._workers(run)}

    def _cost(self, study: FollowedStudy, run: Mapping[str, Any]) -> dict[str, Any]:
        whole = whole_of(study.record, len(study.slots), len(study.confirm_slots), run.get("n_trials", 0))
        return {"whole": whole, "costs": costs_told(study.record, run, self._kept.facts[study.slots])}

    def _workers(self, run: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the run under way announced of its workers, and what ended on each device, in all and in it."""
        since = run["started"] if run["study"] else math.inf
        now = self._kept.seconds_by_device(since)
        devices = [
            {
                "name": name,
                "trials": trials,
                "seconds": seconds,
                "trials_now": now[name][0],
                "seconds_now": now[name][1],
            }
            for name, (trials, seconds) in self._kept.seconds_by_device().items()
        ]
        announced = {name: run[name] for name in ("study", "device", "workers", "dashboard")}
        return {"devices": devices, "run": announced if run["study"] else None}

    def _searches(self, study: FollowedStudy) -> list[dict[str, Any]]:
        for search in study.searches:
            search.follow(self._searched)
            if search.due and self._may_estimate:  # one a look: each takes a tenth of a second
                search.estimate()
                self._may_estimate = False
            self._waits = self._waits or search.due
        return [search.told() for search in study.searches]

    def _told(self, study: FollowedStudy, retracted: np.ndarray[Any, Any]) -> dict[str, Any]:
        own = self._kept.facts[study.slots]
        ended = int((own["rank"] > 0).sum())
        missing, seconds = len(own) - ended, float(own["seconds"][own["rank"] > 0].sum())
        failures = self._kept.failures(study.slots, own, MOST_FAILURES)
        report = self._results / "studies" / study.name / "report.html"
        return {
            "study": study.name,
            "tier": study.record.get("tier", "local"),
            "trials": len(own),
            "complete": int((own["rank"] == COMPLETE).sum()),
            "collapsed": int((own["collapsed"] & (own["rank"] > 0)).sum()),
            "pruned": int((own["rank"] == PRUNED).sum()),
            "failed": self._kept.kinds(own),
            "failures": [{**one, "trial_id": self._following.trial_id(one.pop("slot"))} for one in failures],
            "missing": missing,
            "seconds_spent": round(seconds, 3),
            "seconds_left": round(missing * seconds / ended, 3) if missing and ended else 0.0,
            "retracted": int(np.isin(retracted, study.slots).sum()),
            "rate": self._rate(study.name, ended),
            "searches": self._searches(study),
            "looks": looks_told(study, self._kept.facts["rank"] > 0),
            "report": report.is_file() and not report.is_symlink(),
        }

    def _rate(self, name: str, ended: int) -> float:
        """Return trials a second over the last minute; 0 before a second look."""
        now = self._clock()
        counts = self._counts.setdefault(name, deque())
        counts.append((now, ended))
        while len(counts) > 2 and counts[1][0] < now - RATE_SECONDS:
            counts.popleft()
        (start, before), (end, after) = counts[0], counts[-1]
        return round((after - before) / (end - start), 3) if end > start else 0.0
