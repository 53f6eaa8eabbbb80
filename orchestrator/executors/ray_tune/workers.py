"""Workers that have no bundle, and since when; no ray."""

from __future__ import annotations

import time
from collections.abc import Iterator

__all__ = ["RETURN_SECONDS", "IdleWorkers"]

RETURN_SECONDS = 10.0
"""How long a worker of a shared cluster may be idle. A cold start costs 5 to 20 s; a study's last bundles may take
hours, through which its other workers would hold places that somebody waits for."""


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
