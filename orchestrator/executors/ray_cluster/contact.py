"""Whether a cluster that somebody else started still knows this process, and what to do when it does not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Collection
from enum import Enum

from orchestrator.errors import OrchestratorError

__all__ = ["Contact", "State"]

SILENT_SECONDS = 5.0
"""How long a cluster's head may take to answer before it is looked whether it is there."""

REFUSED_SECONDS = 60.0
"""How long the head's machine may refuse connections: a head that is kept up comes back by then."""

GONE_SECONDS = 900.0
"""How long the head may be out of reach, for a network that is away."""


class State(Enum):
    """How this process stands with its cluster."""

    JOINED = "joined"
    DEAF = "deaf"
    """No answer just now."""
    EXPELLED = "expelled"
    """The cluster counts this machine's node as dead: it must be joined again."""


class Contact:
    """Judges by the answers of a cluster, and by what its head's machine does with a connection.

    Args:
        place: HOST:PORT of the head.
        knock: whether somebody there accepts connections (True), refuses them (False), or nobody says (None).
    """

    def __init__(self, place: str, knock: Callable[[str], bool | None] | None = None) -> None:
        self.place, self._knock = place, knock or accepts_connections
        self._refused_since = float("inf")
        self._knocking: threading.Thread | None = None

    def judge(self, answered_at: float, living: Collection[str], node: str) -> State:
        """Return how things stand.

        Args:
            answered_at: when the cluster answered last (by `time.monotonic`).
            living: the nodes that it then counted as alive; empty: not known.
            node: this machine's.

        Raises:
            OrchestratorError: the cluster is gone.
        """
        silent = time.monotonic() - answered_at
        if silent < SILENT_SECONDS:
            self._refused_since = float("inf")
            return State.EXPELLED if living and node not in living else State.JOINED
        self._look()
        refused = time.monotonic() - self._refused_since
        if silent > GONE_SECONDS or refused > REFUSED_SECONDS:
            how = "refuses connections" if refused > REFUSED_SECONDS else f"gives no answer for {silent:.0f} s"
            raise OrchestratorError(
                f"the Ray cluster at {self.place!r} {how}; nothing complete is lost, the same command goes on"
            )
        return State.DEAF

    def _look(self) -> None:
        if self._knocking is None or not self._knocking.is_alive():
            self._knocking = threading.Thread(target=self._ask, name="knock", daemon=True)
            self._knocking.start()

    def _ask(self) -> None:
        accepts = self._knock(self.place)
        if accepts is False:
            self._refused_since = min(self._refused_since, time.monotonic())
        else:
            self._refused_since = float("inf")
        time.sleep(1.0)


def accepts_connections(place: str) -> bool | None:
    """Return whether HOST:PORT accepts connections, or refuses them; None: nothing answers."""
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=3.0).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return None
    return True
