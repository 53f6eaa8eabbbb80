"""The bundles that were handed out and are not closed, by the number of their parcel; no ray."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

from orchestrator.executors.ray_tune.under_way import UnderWay
from orchestrator.trial import Bundle, BundleTask

__all__ = ["MOST_SPARED", "START_PATIENCE_SECONDS", "OpenBundles"]

MOST_SPARED = 4
"""How often a bundle may meet a worker that died while it was idle, before such a death is counted as its loss."""

START_PATIENCE_SECONDS = 30.0
"""How long a bundle may wait for its worker before an idle one makes room for it; a cold start takes 5 to 20 s."""


class OpenBundles:
    """What each bundle waits for, and who trains it."""

    def __init__(self) -> None:
        self._entries: dict[int, UnderWay] = {}
        self._spared: Counter[str] = Counter()

    def open(self, number: int, task: BundleTask, *, for_idle: bool = False) -> None:
        """Count a bundle as under way; `for_idle`: an idle worker was let go for it."""
        self._entries[number] = UnderWay(task, for_idle=for_idle)

    def get(self, number: int) -> UnderWay | None:
        """Return the bundle of a parcel; None: it is closed, or there was none."""
        return self._entries.get(number)

    def close(self, number: int) -> UnderWay | None:
        """Take a bundle out and return it; None: it was closed before."""
        return self._entries.pop(number, None)

    def is_spared(self, entry: UnderWay) -> bool:
        """Return whether the death of its worker is no loss of a bundle: it died idle, before the bundle reached it."""
        if not entry.died_idle or self._spared[entry.bundle.bundle_id] == MOST_SPARED:
            return False
        self._spared[entry.bundle.bundle_id] += 1
        return True

    def first(self) -> Bundle | None:
        """Return the bundle that is under way for the longest time; None: there is none."""
        return next((entry.bundle for entry in self._entries.values()), None)

    def waits_since(self) -> float:
        """Return the time of the oldest last news; infinity: nothing is under way."""
        return min((entry.heard for entry in self._entries.values()), default=float("inf"))

    def call_silent(self) -> None:
        """Send every worker that gives no news an empty call."""
        now = time.monotonic()
        for entry in self._entries.values():
            entry.call_if_silent(now)

    def kill_stalled(self, seconds: float) -> None:
        """Kill every worker that was not heard of for `seconds`, once each."""
        oldest = time.monotonic() - seconds
        for entry in self._entries.values():
            entry.kill_if_stalled(oldest)

    def recall(self) -> list[BundleTask]:
        """Take out the bundles whose workers do not start, for any that is free, and return them."""
        now = time.monotonic()
        return self._taken_out(lambda entry: entry.waits_too_long(now))

    def tell_stop(self) -> list[BundleTask]:
        """Tell every worker to stop; take out and return the bundles whose workers start, and train nothing yet."""
        for entry in self._entries.values():
            if entry.worker is not None:
                entry.worker.tell((), True)
        return self._taken_out(lambda entry: entry.worker is None)

    def kill(self) -> list[BundleTask]:
        """Kill every worker; take out and return all bundles."""
        for entry in self._entries.values():
            if entry.worker is not None:
                entry.worker.kill()
        return self._taken_out(lambda entry: True)

    def needs_a_place(self, *, crowded: bool) -> bool:
        """Return whether an idle worker shall go, since a bundle cannot start: it holds the place of its worker.

        So it is when there are more parcels than room (a node died while another one came), or when the bundle needs
        another share of a GPU; the latter looks like a slow start, so that only one worker goes a while.

        Args:
            crowded: whether there are more parcels than room.
        """
        waiting = [entry for entry in self._entries.values() if entry.worker is None]
        if waiting and crowded:
            return True
        now = time.monotonic()
        for entry in waiting:
            if now > entry.heard + START_PATIENCE_SECONDS:
                entry.heard = now
                return True
        return False

    def _taken_out(self, which: Callable[[UnderWay], bool]) -> list[BundleTask]:
        numbers = [number for number, entry in self._entries.items() if which(entry)]
        return [self._entries.pop(number).task for number in numbers]

    def __contains__(self, number: object) -> bool:
        return number in self._entries

    def __iter__(self) -> Iterator[int]:
        return iter([*self._entries])  # whoever goes through them may close them

    def __len__(self) -> int:
        return len(self._entries)
