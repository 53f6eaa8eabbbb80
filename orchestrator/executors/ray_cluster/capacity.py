"""What a cluster offers now, asked in a thread of its own: one that is cut off answers after half a minute."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.errors import RequestError

__all__ = ["Capacity", "asked_of_node", "why_waiting"]

ASK_SECONDS = 2.0
"""How often a cluster is asked: nodes come and go."""

FIRST_SECONDS = 20.0
"""How long the first answer is waited for, by the thread of Ray Tune alone: without it there is room for one worker."""


@dataclass(frozen=True)
class _Answer:
    total: Mapping[str, float] = field(default_factory=dict)
    free: Mapping[str, float] = field(default_factory=dict)
    nodes: tuple[Mapping[str, float], ...] = ()
    living: frozenset[str] = frozenset()
    pending: bool = False


class Capacity:
    """How many bundles a cluster has room for, by its last answer.

    Args:
        cpus: CPU cores a bundle takes.
        gpus: GPUs a bundle takes; 0: it needs none.
        bundles_per_gpu: how many bundles may share a GPU.
    """

    def __init__(self, cpus: float, gpus: float, bundles_per_gpu: int) -> None:
        self.cpus, self.gpus, self.bundles_per_gpu = cpus, gpus, bundles_per_gpu
        self._wanted: dict[str, float] = {}
        self._answer = _Answer()
        self._asked_at = float("-inf")
        self.waited_for = False
        """Whether somebody waits for room, so that it is worth asking who has it."""
        self.answered_at = time.monotonic()
        """When the cluster answered last, or was joined."""
        self._thread: threading.Thread | None = None

    @property
    def room(self) -> int:
        """How many bundles fit into the whole cluster, one at least."""
        total = self._answer.total
        by_cpu = total.get("CPU", 0.0) / self.cpus if self.cpus else float("inf")
        by_gpu = total.get("GPU", 0.0) * self.bundles_per_gpu / self.gpus if self.gpus else float("inf")
        return max(1, int(min(by_cpu, by_gpu, 1e9)))

    @property
    def living(self) -> frozenset[str]:
        """The nodes that the cluster counts as alive; empty: not known."""
        return self._answer.living

    def forget(self) -> None:
        """Forget the last answer: the cluster is another one, or was joined again."""
        self._answer, self.answered_at = _Answer(), time.monotonic()

    @property
    def cards(self) -> int:
        """How many GPUs there are, in units of a bundle's, one at least."""
        return max(1, int(self._answer.total.get("GPU", 0.0) / self.gpus)) if self.gpus else 1

    def asked_by(self, cores: float, cards: float, *, may_grow: bool) -> dict[str, float]:
        """Return what a worker asks of its node, by resource; `why_waiting` tells of the latest.

        Args:
            cores: how many of the usual bundle's cores it takes.
            cards: how many of its GPUs; 0: it needs none.
            may_grow: whether a larger node may come.

        Raises:
            RequestError: no node has so many GPUs, and none will come.
        """
        wanted = {"CPU": self.cpus * cores, "GPU": self.gpus * cards}
        self._wanted = asked_of_node(wanted, self._answer.nodes, may_grow=may_grow)
        return self._wanted

    def look(self) -> None:
        """Ask the cluster again if the last time was long ago; waits for the first answer only, and not for long."""
        if time.monotonic() < self._asked_at + ASK_SECONDS or (self._thread is not None and self._thread.is_alive()):
            return
        first, self._asked_at = self._thread is None, time.monotonic()
        self._thread = threading.Thread(target=self._ask, name="capacity", daemon=True)
        self._thread.start()
        if first:
            self._thread.join(FIRST_SECONDS)

    def why_waiting(self) -> str:
        """Return one line that says why a bundle finds no place; empty: nothing is known against it."""
        if not self._answer.pending:  # places are found, and processes start there
            return ""
        cpus, gpus = self._wanted.get("CPU", self.cpus), self._wanted.get("GPU", 0.0 if self._wanted else self.gpus)
        return why_waiting(self._answer.nodes, self._answer.free, cpus, gpus)

    def _ask(self) -> None:
        import ray
        from ray.util import placement_group_table

        with contextlib.suppress(Exception):  # it ends, or cannot be reached: the last answer stands
            total = ray.cluster_resources()  # type: ignore[no-untyped-call]
            nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
            living = frozenset(node["NodeID"] for node in nodes)
            free, pending = {}, False
            if self.waited_for:
                free = ray.available_resources()  # type: ignore[no-untyped-call]
                pending = any(group["state"] == "PENDING" for group in placement_group_table().values())
            self._answer = _Answer(total, free, tuple(node["Resources"] for node in nodes), living, pending)
            self.answered_at = time.monotonic()


def asked_of_node(
    wanted: Mapping[str, float], nodes: Sequence[Mapping[str, float]], *, may_grow: bool
) -> dict[str, float]:
    """Return what a worker asks of its node: as many cores as the largest node has at most, and its GPUs, if any.

    Args:
        wanted: CPU and GPU.
        nodes: the resources of each living node; none: nobody knows yet.
        may_grow: whether a larger node may come.

    Raises:
        RequestError: no node has so many GPUs, and none will come.
    """
    cores = min(wanted["CPU"], max((node.get("CPU", 0.0) for node in nodes), default=wanted["CPU"]))
    cards = wanted["GPU"]
    if not cards:
        return {"CPU": cores}
    most = max((node.get("GPU", 0.0) for node in nodes), default=cards)
    if most < cards and not may_grow:
        raise RequestError(f"a trial takes {cards:g} GPUs; allowed: at most the {most:g} of this machine")
    return {"CPU": cores, "GPU": cards}


def why_waiting(nodes: tuple[Mapping[str, float], ...], free: Mapping[str, float], cpus: float, gpus: float) -> str:
    """Return one line that says why a bundle of a size finds no place, and what to do; empty: there is one.

    Args:
        nodes: the resources of each living node.
        free: what nobody uses, of the whole cluster.
        cpus: CPU cores the bundle takes.
        gpus: GPUs it takes.
    """
    needs = f"{cpus:g} CPU" + (f" and {gpus:g} GPU" if gpus else "")
    fitting = [node for node in nodes if node.get("CPU", 0.0) >= cpus and node.get("GPU", 0.0) >= gpus]
    if not fitting:
        largest = f"the largest offers {max((n.get('CPU', 0.0) for n in nodes), default=0.0):g} CPU"
        cards = max((node.get("GPU", 0.0) for node in nodes), default=0.0)
        without = "; --device cpu does without a GPU" if gpus and any(n.get("CPU", 0.0) >= cpus for n in nodes) else ""
        return (
            f"no node of the cluster has room for a bundle, which takes {needs} ({largest}, {cards:g} GPU); waiting "
            f"for a node that an autoscaler or `ray start` brings{without}"
        )
    if free.get("CPU", 0.0) < cpus or free.get("GPU", 0.0) < gpus:
        total = sum(node.get("GPU" if gpus else "CPU", 0.0) for node in nodes)
        kind = "GPUs" if gpus else "CPUs"
        return (
            f"others use all but {free.get(kind[:-1], 0.0):g} of the cluster's {total:g} {kind}; waiting for them, or "
            "for a node more"
        )
    return ""
