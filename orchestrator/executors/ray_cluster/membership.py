"""Whether this process still belongs to the cluster it joined, and what is done when it does not."""

from __future__ import annotations

import time

from orchestrator.executors.ray_cluster.capacity import Capacity
from orchestrator.executors.ray_cluster.cluster import Cluster
from orchestrator.executors.ray_cluster.contact import Contact, State
from orchestrator.executors.ray_cluster.joining import place_of

__all__ = ["CHECK_SECONDS", "MOST_FALLS", "Membership"]

CHECK_SECONDS = 0.5

MOST_FALLS = 20
"""How often a run may lose Ray Tune to a network that is away."""


class Membership:
    """Looks after a cluster, again and again.

    Args:
        address: of the cluster.
        capacity: what it offers, by its answers.
    """

    def __init__(self, address: str, capacity: Capacity) -> None:
        self.address, self._capacity = address, capacity
        self._checked_at = float("-inf")
        self._contact: Contact | None = None
        self._falls = 0

    def check(self, cluster: Cluster) -> None:
        """Look whether the cluster is there and knows this machine, now and then; it is joined again if not.

        Raises:
            OrchestratorError: it is gone.
        """
        if time.monotonic() > self._checked_at + CHECK_SECONDS:
            self._checked_at = time.monotonic()
            cluster.check()
            if not cluster.local and not cluster.expelled:
                self._keep_contact(cluster)

    def may_join_again(self, cluster: Cluster, error: Exception) -> bool:
        """Return whether an error that ended Tune is one of a network that was away, and not one time too many."""
        from ray.exceptions import RayError

        self._falls += not cluster.expelled
        return not cluster.local and isinstance(error, RayError) and self._falls <= MOST_FALLS

    def _keep_contact(self, cluster: Cluster) -> None:
        self._capacity.look()
        if self._contact is None:
            self._contact = Contact(place_of(self.address))
        state = self._contact.judge(self._capacity.answered_at, self._capacity.living, cluster.node)
        if state is State.EXPELLED:
            cluster.join_again()
