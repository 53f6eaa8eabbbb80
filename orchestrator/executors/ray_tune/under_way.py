"""One bundle under way, as the driver sees it: its worker, the last news of it, its checkpoint that travels."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.executors import checkpoint_files
from orchestrator.executors.ray_tune.parcel import Worker
from orchestrator.trial import Bundle, BundleTask

__all__ = ["CALL_SECONDS", "RECALL_SECONDS", "UnderWay"]

CALL_SECONDS = 15.0
"""How long a worker gives no news before it is called, and again after.

Where a network was away, an answer may be lost without anybody knowing it until something is sent. A long epoch costs
one empty call in so many seconds.
"""

RECALL_SECONDS = 35.0
"""How long a bundle may wait for its worker before any that is free may have it; the late one then has another. Where a
network was away, a connection is tried again after a minute only."""


def _now() -> float:
    return time.monotonic()  # looked up at each call, so that a simulation has a clock of its own


@dataclass
class UnderWay:
    """A bundle that was handed out and is not closed.

    Attributes:
        task: the bundle and what belongs to it.
        heard: when there was news of it last; at first, when it was handed out.
        since: when it was handed out.
        worker: who trains it; None: nobody yet.
        overdue: whether its worker was killed since there was no news for too long.
        called: when its silent worker was called last.
        for_idle: whether an idle worker was let go for it.
    """

    task: BundleTask
    heard: float = field(default_factory=_now)
    since: float = field(default_factory=_now)
    worker: Worker | None = None
    overdue: bool = False
    called: float = 0.0
    for_idle: bool = False
    _travelled: bool = False

    @property
    def bundle(self) -> Bundle:
        """The bundle."""
        return self.task.bundle

    @property
    def died_idle(self) -> bool:
        """Whether a worker that dies now was dead before the bundle could reach it."""
        return self.for_idle and self.worker is None

    def call_if_silent(self, now: float) -> None:
        """Send a worker that gives no news an empty call, so that a dead connection shows."""
        if self.worker is not None and now > max(self.heard, self.called) + CALL_SECONDS:
            self.called = now
            self.worker.tell((), False)

    def waits_too_long(self, now: float) -> bool:
        """Return whether no worker has started for so long that any that is free may have the bundle."""
        return self.worker is None and now > self.since + RECALL_SECONDS

    def kill_if_stalled(self, oldest: float) -> None:
        """Kill a worker that was not heard of since `oldest`, once."""
        if self.worker is not None and not self.overdue and self.heard < oldest:
            self.overdue = True
            self.worker.kill()

    def keep(self, files: checkpoint_files.Files) -> None:
        """Take the checkpoint of a worker that does not see the results folder; none: nothing."""
        if files:
            self._travelled = True
            checkpoint_files.put(Path(self.task.checkpoint_folder), files)

    def forget(self) -> None:
        """Delete the checkpoints of the bundle, which is done, if its worker cannot."""
        if self._travelled:
            checkpoint_files.forget(Path(self.task.checkpoint_folder))
