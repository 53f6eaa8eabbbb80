"""A cluster of nodes that come and go on a simulated clock: who has their places, who waits for one, what is copied.

A node has one place, given in the order of requests. A worker starts in 5 to 20 s. A dataset takes its size over
125 MB/s to reach a node for the first time. Every second a node goes, half of them with notice, half unnoticed for 63 s
(as long as Ray counts a node as alive that is cut off), and comes back after two minutes.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

NODES, AWAY, UNNOTICED = 1_000, 120.0, 63.0
MEGABYTES = {"point": 60.0, "point:subset=8": 1_200.0, "point:subset=6": 6_000.0}
A_SECOND = 125.0


class Driver(Protocol):
    """A command, as the cluster knows it."""

    name: str
    cluster: Cluster
    returned: list[float]
    """How long after its last bundle each worker gave its place back."""

    def reached(self, number: int, worker: Worker) -> None:
        """Take the news that a parcel has reached a worker."""

    def died(self, worker: Worker) -> None:
        """Take the news that a worker's node is gone."""


class Clock:
    """Simulated time and what is to happen."""

    def __init__(self) -> None:
        self.now, self._events, self._numbers = 0.0, [], itertools.count()  # type: ignore[var-annotated]

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), what))

    def run(self, until: Callable[[], bool]) -> None:
        while not until():
            at, _, what = heapq.heappop(self._events)
            self.now = max(self.now, at)
            what()


class Worker:
    """A process on a node."""

    def __init__(self, node: int, driver: Driver, number: int) -> None:
        self.node, self.driver, self.number, self.living = node, driver, number, True
        self.stopped = self.has_trained = False
        self.ended_at, self.nap = driver.cluster.clock.now, 0.05

    def tell(self, drop: Any, stop: bool) -> None:
        """Take the order to stop, which comes before training when the bundle has gone to another worker meanwhile."""
        self.stopped = stop

    def kill(self) -> None:
        """Nobody is silent for so long."""


class Cluster:
    """Nodes, who has their places, and who waits for one."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.random = clock, random.Random(0)
        self.free = deque(range(NODES))
        self.living, self.counted = set(range(NODES)), NODES
        self.workers: dict[int, Worker] = {}
        self.waiting: deque[tuple[Driver, int]] = deque()
        self.starting: dict[tuple[Driver, int], list[Worker]] = {}
        self.copies: set[tuple[int, str, str]] = set()
        self.sent = self.lost_nodes = 0
        self.places, self.counted_at, self.trained = 0.0, 0.0, 0.0
        clock.after(30.0, self._lose)

    def request(self, driver: Driver, number: int) -> None:
        self.waiting.append((driver, number))
        self.place()

    def place(self) -> None:
        while self.waiting and self.free:
            node = self.free.popleft()
            if node not in self.living:
                continue
            driver, number = self.waiting.popleft()
            worker = self.workers[node] = Worker(node, driver, number)
            self.starting[(driver, number)] = [worker]
            self.clock.after(self.random.uniform(5.0, 20.0), lambda w=worker, n=number: w.driver.reached(n, w))  # type: ignore[misc]

    def give_back(self, worker: Worker) -> None:
        if worker.living and self.workers.get(worker.node) is worker:
            del self.workers[worker.node]
            self.free.append(worker.node)
            if worker.has_trained:
                worker.driver.returned.append(self.clock.now - worker.ended_at)
            self.place()
        worker.living = False

    def withdraw(self, driver: Driver, number: int) -> None:
        """Forget a request, and end the worker that starts for it."""
        if (driver, number) in self.waiting:
            self.waiting.remove((driver, number))
        for worker in self.starting.pop((driver, number), []):
            self.give_back(worker)

    def transfer(self, worker: Worker, dataset: str) -> float:
        copy = (worker.node, worker.driver.name, dataset)
        if copy in self.copies:
            return 0.0
        self.copies.add(copy)
        self.sent += 1
        return MEGABYTES[dataset] / A_SECOND

    def count_places(self) -> None:
        self.places += (self.clock.now - self.counted_at) * len(self.living)
        self.counted_at = self.clock.now

    def _lose(self) -> None:
        self.clock.after(1_000.0 / NODES, self._lose)
        self.count_places()
        node = self.random.choice(sorted(self.living))
        self.living.discard(node)
        self.copies = {copy for copy in self.copies if copy[0] != node}
        self.lost_nodes += 1
        unnoticed = self.random.choice([1.0, UNNOTICED])
        worker = self.workers.pop(node, None)
        if worker is not None:
            worker.living = False
        self.clock.after(unnoticed, lambda: self._noticed(worker))
        self.clock.after(AWAY, lambda: self._comes(node))

    def _noticed(self, worker: Worker | None) -> None:
        self.counted -= 1
        if worker is not None:
            worker.driver.died(worker)

    def _comes(self, node: int) -> None:
        self.count_places()
        self.living.add(node)
        self.counted += 1
        self.free.append(node)
        self.place()
