"""Which nodes have a copy of which dataset, so that an idle worker leaves a bundle to one that is nearer.

The object store brings a dataset to a node when its first bundle asks for it, and keeps it there. When several workers
are idle, the one whose node has the copy shall have the bundle. It is a matter of cost, never of who may train what.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection

from orchestrator.trial import BundleTask

__all__ = ["Nearness"]

PATIENCE_SECONDS = 2.0
"""How long a worker leaves a bundle to another one that is idle too; idle ones ask several times a second."""


class Nearness:
    """What is known of workers by the number of their parcel, and of nodes by their name."""

    def __init__(self) -> None:
        self._node: dict[int, str] = {}
        self._copies: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self._left_since: dict[int, float] = {}

    def heard(self, number: int, node: str, task: BundleTask) -> None:
        """Take the news that a worker on `node` trains a bundle: the node has its dataset now."""
        if node:
            self._node[number] = node
            self._copies[node].add(_data(task))

    def leaves(self, number: int, idle: Collection[int], task: BundleTask) -> bool:
        """Return whether an idle worker leaves a bundle to another idle one, on a node that has its dataset."""
        near = {node for node, copies in self._copies.items() if _data(task) in copies}
        others = any(self._node.get(other) in near for other in idle if other != number)
        if not others or self._node.get(number) in near:
            self._left_since.pop(number, None)
            return False
        return time.monotonic() < self._left_since.setdefault(number, time.monotonic()) + PATIENCE_SECONDS

    def forget(self, number: int) -> None:
        """Forget a worker's parcel; what its node has stays there."""
        self._node.pop(number, None)
        self._left_since.pop(number, None)


def _data(task: BundleTask) -> tuple[str, str]:
    spec = task.bundle.specs[0]
    return spec.dataset, spec.protocol
