"""How a study is run, and where its run stands: what goes into a runner, and what comes out while it works."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from orchestrator.trial import FailureKind

__all__ = ["Progress", "RunOptions"]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How to run, not what: nothing here is part of a trial_id."""

    plugins: tuple[str, ...] = ()
    retry_failed: frozenset[FailureKind] = frozenset()
    """Kinds whose final failures of earlier runs are tried again."""
    only_current: bool = False
    """Whether a hit must come from the present code."""
    time_budget: float | None = None
    """Seconds after which no more bundles are handed out and those under way stop with a checkpoint."""
    budget_hours: float | None = None
    """Hours of workers, all together (core- or GPU-hours), after which the same happens."""
    checkpoint_seconds: float = 60.0
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
    started: float = field(default_factory=time.monotonic)

    @property
    def trained(self) -> int:
        """Trials that ended in this run, whichever way."""
        return self.complete + self.pruned + sum(self.failed.values())
