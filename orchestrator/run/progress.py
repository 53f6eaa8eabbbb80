"""How a study is run, and where its run stands: what goes into a runner, and what comes out while it works."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.price.budgets import Spending
from orchestrator.trial import FailureKind, Limits, TrialOutcome, TrialState

__all__ = ["UNANSWERABLE", "Progress", "RunOptions"]


UNANSWERABLE = "the study cannot be answered"
"""Beginning of why a run stops whose trials have nothing that the study asks about."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How to run, not what: nothing here is part of a trial_id."""

    plugins: tuple[str, ...] = ()
    retry_failed: frozenset[FailureKind] = frozenset()
    """Kinds whose final failures of earlier runs are tried again."""
    only_current: bool = False
    """Whether a hit must come from the present code."""
    time_budget: float | None = None
    """Seconds from `began` after which no more bundles are handed out and those under way stop with a checkpoint."""
    began: float = field(default_factory=time.monotonic)
    """Monotonic seconds: starting Ray and probing programs count, too."""
    spending: Spending | None = None
    """What the command may spend and has spent; when that is too much, the same happens."""
    checkpoint_seconds: float = 60.0
    limits: Limits = field(default_factory=Limits)
    """What a trial may take of the machine."""
    device: str = "cpu"
    bundles_per_gpu: int = 1
    """How many bundles of programs that cannot fuse may share a card."""


@dataclass
class Progress:
    """Where a run stands; handed to the observer after every change."""

    total: int = 0
    hits: int = 0
    complete: int = 0
    pruned: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    collapsed: int = 0
    running: int = 0
    phase: str = ""
    notes: list[str] = field(default_factory=list)
    """What a person should read at once, in the order of its coming."""
    noted: set[str] = field(default_factory=set)
    """Every note that there was."""
    started: float = field(default_factory=time.monotonic)
    announced: int = 0
    """Trials that the whole study takes at most, its search and its confirmation up to the last look."""
    announced_hits: int = 0
    """Those of them that were in the ledger when the run began."""
    priced_seconds: float = math.nan
    """Wall-clock that the price expects of the run; NaN: there is no price."""

    def announce(self, n_trials: int, n_hits: int, priced: Mapping[str, Any] | None) -> None:
        """Take what the whole run comes to, before anything trains (`price.demand`, `price.price`)."""
        self.announced, self.announced_hits = n_trials, n_hits
        self.priced_seconds = float(priced["wall_seconds"][0]) if priced else math.nan

    @property
    def whole(self) -> int:
        """Trials of the whole study: it does not grow when a search gives way to the confirmation."""
        return max(self.announced, self.total)

    @property
    def done(self) -> int:
        """Trials of the whole study that have ended, in this run or before."""
        return min(self.whole, max(self.announced_hits, self.hits) + self.trained)

    def seconds_left(self, elapsed: float) -> float:
        """Return the wall-clock that the rest may take; NaN: nothing is known yet.

        At first the price says it. The further the run is, the more what it has taken beside its price counts, so
        that neither the first trials nor the change from search to confirmation make the number jump.

        Args:
            elapsed: seconds since the run began.
        """
        before = max(self.announced_hits, self.hits)
        share = min(1.0, (self.done - before) / max(self.whole - before, 1))
        if not share:
            return self.priced_seconds
        pace = elapsed * (1 - share) / share
        price = self.priced_seconds * (1 - share)
        if math.isnan(price) or not price or not pace:
            return pace
        left: float = price * (pace / price) ** share
        return left

    @property
    def trained(self) -> int:
        """Trials that ended in this run, whichever way."""
        return self.complete + self.pruned + self.n_failed

    @property
    def n_failed(self) -> int:
        """Trials that failed for good in this run."""
        return sum(self.failed.values())

    def planned(self, total: int, phase: str, hits: int) -> None:
        """Take what the study asks for now, and how many of the trials that are new in it are known already."""
        self.total, self.phase = total, phase
        self.hits += hits

    def ended(self, outcome: TrialOutcome) -> None:
        """Count a trial that will not be tried again."""
        self.collapsed += outcome.collapsed
        if outcome.state is TrialState.COMPLETE:
            self.complete += 1
        elif outcome.state is TrialState.PRUNED:
            self.pruned += 1
        else:
            kind = str(outcome.failure_kind)
            self.failed[kind] = self.failed.get(kind, 0) + 1

    def count_running(self, change: int) -> None:
        """Count members that began (or ended) training."""
        self.running += change

    def note(self, text: str) -> None:
        """Add what a person should read at once; an empty text is none, and nothing is said twice."""
        if text and text not in self.noted:
            self.noted.add(text)
            self.notes.append(text)

    def note_all(self, texts: Iterable[str]) -> None:
        """Add several notes."""
        for text in texts:
            self.note(text)

    def take_notes(self) -> list[str]:
        """Return the notes that have come since the last call."""
        notes, self.notes = self.notes, []
        return notes
