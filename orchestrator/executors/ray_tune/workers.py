"""Workers that start, and workers that have no bundle, each with its beginning; no ray."""

from __future__ import annotations

import time
from collections.abc import Iterator

__all__ = ["RETURN_SECONDS", "START_GRACE_SECONDS", "IdleWorkers", "StartingWorkers"]

RETURN_SECONDS = 10.0
"""How long a worker of a shared cluster may be idle. A cold start costs 5 to 20 s; a study's last bundles may take
hours, through which its other workers would hold places that somebody waits for."""

START_GRACE_SECONDS = 10.0
"""How long an idle worker leaves bundles alone while another one starts: Tune would give it that one's trial, and end
the process that is about to be ready, for a new one to start from the beginning."""


class StartingWorkers:
    """Workers that Tune starts a process for, by the numbers of their parcels."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}

    def add(self, number: int) -> None:
        """Count a worker as starting from now on."""
        self._since[number] = time.monotonic()

    def discard(self, number: int) -> None:
        """Forget a worker: it is ready, or gone."""
        self._since.pop(number, None)

    def clear(self) -> None:
        """Forget all."""
        self._since.clear()

    def any_recent(self) -> bool:
        """Return whether one has begun to start, not long ago, and is not ready."""
        recent = time.monotonic() - START_GRACE_SECONDS
        return any(since > recent for since in self._since.values())


class IdleWorkers:
    """Workers without a bundle, by the numbers of their parcels.

    Args:
        keep_seconds: after so many seconds one is returned to the cluster; None: never.
    """

    def __init__(self, keep_seconds: float | None) -> None:
        self.keep_seconds = keep_seconds
        self._since: dict[int, float] = {}

    def add(self, number: int) -> None:
        """Count a worker as idle from now on, if it was not."""
        self._since.setdefault(number, time.monotonic())

    def discard(self, number: int) -> None:
        """Forget a worker."""
        self._since.pop(number, None)

    def clear(self) -> None:
        """Forget all."""
        self._since.clear()

    def is_to_go(self, number: int) -> bool:
        """Return whether an idle worker was so for too long."""
        return self.keep_seconds is not None and time.monotonic() > self._since[number] + self.keep_seconds

    def __contains__(self, number: object) -> bool:
        return number in self._since

    def __iter__(self) -> Iterator[int]:
        return iter(self._since)

    def __len__(self) -> int:
        return len(self._since)
