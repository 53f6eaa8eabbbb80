"""What a run spends: time of busy workers, and when it began to train. Priced and spent are both in study.json.

runs    [{at, trials, workers, seconds, device_seconds, wall_seconds, start_seconds, stopped, priced}], one entry a run
that trained; seconds: of workers, all together; device_seconds: the same by the device's name, a bundle that shares a
card with others counting as its share of it ("": what had not reported yet); priced: {n_trials, seconds, wall_seconds,
workers}, each [expected, low, high], as it was before the run; null where nothing was known
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

__all__ = ["WorkerSeconds"]


@dataclass
class _Bundle:
    """A bundle under way."""

    since: float
    share: float
    device: str = ""


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
        self._open: dict[str, _Bundle] = {}
        self._busy = 0.0
        self._shares: defaultdict[str, float] = defaultdict(float)
        """By device, what the bundles under way take of devices."""
        self._spent: defaultdict[str, float] = defaultdict(float)
        """By device, its seconds."""

    def opened(self, bundle_id: str, share: float = 1.0) -> None:
        """A bundle goes to a worker, and takes a share of its device."""
        self._count()
        self._open[bundle_id] = _Bundle(self.clock(), share)
        self._shares[""] += share
        self.most = max(self.most, len(self._open))

    def closed(self, bundle_id: str) -> None:
        """A bundle has ended, whichever way."""
        self._count()
        bundle = self._open.pop(bundle_id)
        self._shares[bundle.device] -= bundle.share

    def heard(self, bundle_id: str, device: str = "") -> None:
        """A worker has reported, and may have said what it trains on."""
        if not self.start_seconds:
            self._last = self.clock()
            self.start_seconds = max(self._last - self.began, 1e-3)
        bundle = self._open.get(bundle_id)
        if device and bundle is not None and device != bundle.device:
            self._move(bundle, device)

    @property
    def busy_seconds(self) -> float:
        """Seconds of all workers together, so far."""
        self._count()
        return self._busy

    @property
    def device_seconds(self) -> Mapping[str, float]:
        """Seconds of devices so far, by their names; under "" those of bundles that have not said theirs."""
        self._count()
        return {device: seconds for device, seconds in self._spent.items() if seconds > 0}

    def entry(self, n_trials: int, stopped: str, priced: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the run's entry in study.json."""
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "trials": n_trials,
            "workers": self.most,
            "seconds": round(self.busy_seconds, 3),
            "device_seconds": {device: round(seconds, 3) for device, seconds in self.device_seconds.items()},
            "wall_seconds": round(self.clock() - self.began, 3),
            "start_seconds": round(self.start_seconds, 3),
            "stopped": stopped,
            "priced": None if priced is None else dict(priced),
        }

    def _move(self, bundle: _Bundle, device: str) -> None:
        """Count what a bundle has taken so far, and will take, to another device."""
        self._count()
        counted_from = max(bundle.since, self.began + self.start_seconds)
        taken = bundle.share * max(0.0, self._last - counted_from)
        for name, sign in ((bundle.device, -1), (device, 1)):
            self._spent[name] += sign * taken
            self._shares[name] += sign * bundle.share
        bundle.device = device

    def _count(self) -> None:
        now = self.clock()
        if self.start_seconds:
            self._busy += (now - self._last) * len(self._open)
            for device, shares in self._shares.items():
                self._spent[device] += (now - self._last) * shares
            self._last = now
