"""What a run spends: time of busy workers, and when it began to train. Priced and spent are both in study.json.

runs    [{at, trials, workers, seconds, wall_seconds, start_seconds, stopped, priced}], one entry a run that trained;
seconds: of workers, all together; priced: {n_trials, seconds, wall_seconds, workers}, each [expected, low,
high], as it was before the run; null where nothing was known
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

__all__ = ["WorkerSeconds"]


class WorkerSeconds:
    """Counts the seconds of bundles under way, from the first report of the run on: before it, workers start.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.began = self._last = clock()
        self.start_seconds = 0.0
        """Until the first report; 0: none has come."""
        self.most = 0
        """Bundles under way at a time, at most: the workers there were."""
        self._open = 0
        self._busy = 0.0

    def opened(self) -> None:
        """A bundle goes to a worker."""
        self._count()
        self._open += 1
        self.most = max(self.most, self._open)

    def closed(self) -> None:
        """A bundle has ended, whichever way."""
        self._count()
        self._open -= 1

    def heard(self) -> None:
        """A worker has reported."""
        if not self.start_seconds:
            self._last = self.clock()
            self.start_seconds = max(self._last - self.began, 1e-3)

    @property
    def busy_seconds(self) -> float:
        """Seconds of all workers together, so far."""
        self._count()
        return self._busy

    def entry(self, n_trials: int, stopped: str, priced: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the run's entry in study.json."""
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "trials": n_trials,
            "workers": self.most,
            "seconds": round(self.busy_seconds, 3),
            "wall_seconds": round(self.clock() - self.began, 3),
            "start_seconds": round(self.start_seconds, 3),
            "stopped": stopped,
            "priced": None if priced is None else dict(priced),
        }

    def _count(self) -> None:
        now = self.clock()
        if self.start_seconds:
            self._busy += (now - self._last) * self._open
            self._last = now
