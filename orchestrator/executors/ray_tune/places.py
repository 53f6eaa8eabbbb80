"""The places of a cluster as one executor uses them: who has one, and which are left empty; no ray."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from orchestrator.executors.ray_tune.parcel import Parcel

__all__ = ["CUT_OFF_SECONDS", "Places"]

CUT_OFF_SECONDS = 20.0
"""How long the place of a worker that cannot be reached is left empty."""


class Places:
    """The parcels that Tune has a trial for, also of closed bundles, and the room there is for them.

    Args:
        room: returns how many workers of the usual size there may be now (asked often).
        most: how many there may be, of whatever size; None: as many as there is room for.
    """

    def __init__(self, room: Callable[[], int], most: int | None = None) -> None:
        self._room, self._allowed = room, most
        self._held: dict[int, Parcel] = {}
        self._cut_off: deque[float] = deque()

    @property
    def shares(self) -> list[float]:
        """The part of a card that each parcel's worker has."""
        return [parcel.share for parcel in self._held.values()]

    @property
    def are_taken(self) -> bool:
        """Whether there is no place for another worker."""
        return self._n_taken >= self._most() or (self._allowed is not None and len(self._held) >= self._allowed)

    @property
    def are_crowded(self) -> bool:
        """Whether the parcels take more places than there are."""
        return self._n_taken > self._most() or (self._allowed is not None and len(self._held) > self._allowed)

    @property
    def _n_taken(self) -> float:
        return sum(parcel.places for parcel in self._held.values())

    def take(self, parcel: Parcel) -> None:
        """Give a parcel a place."""
        self._held[parcel.number] = parcel

    def leave(self, number: int) -> None:
        """Free a parcel's place, if it has one."""
        self._held.pop(number, None)

    def clear(self) -> None:
        """Free all places."""
        self._held.clear()

    def lose_one(self) -> None:
        """Leave a place empty from now on, for a while: a bundle would be lost there again and again."""
        self._cut_off.append(time.monotonic())

    def _most(self) -> int:
        """Return how many workers there may be now, one at least."""
        while self._cut_off and self._cut_off[0] < time.monotonic() - CUT_OFF_SECONDS:
            self._cut_off.popleft()
        return max(1, self._room() - len(self._cut_off))
