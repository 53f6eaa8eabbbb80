"""Several studies on a thousand nodes that come and go: is the cluster busy, is anything lost, are workers given back?

    python tests/benchmarks/placement.py           # prints the figures, writes analysis/benchmarks/placement.json

The clock, the nodes and Ray are simulated; runners, ledgers and the bridge that decides which bundle goes to which
worker are the real ones, and the driver's own CPU time passes on the clock. A node has one place. Ray gives places in
the order of requests; Ray Tune has 200 requests open at most; a worker that is free goes to the next trial, or to one
that waits for a place. A worker starts in 5 to 20 s. A dataset takes its size over 125 MB/s to reach a node for the
first time. Every second a node goes, half of them with notice, half unnoticed for 63 s (as long as Ray counts a node
as alive that is cut off), and comes back after two minutes. `busy` is the time of training over that of living
places, from the first request to the end of the last study; `returned_s` is how long after its last bundle a worker's
place was free.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from busy import PLUGIN, SECONDS, report_of
from simulated_nodes import MEGABYTES, NODES, Clock, Cluster, Worker

from orchestrator.designs.grid import grid
from orchestrator.executors.ray_tune import bridge as bridge_module
from orchestrator.executors.ray_tune import locality, open_bundles, places, under_way, workers
from orchestrator.executors.ray_tune.bridge import Bridge
from orchestrator.executors.ray_tune.parcel import Content, Message, Parcel
from orchestrator.executors.ray_tune.workers import RETURN_SECONDS
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run import gathering
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study
from orchestrator.trial import BundleTask, FailureKind

TARGET = Path(__file__).parents[2] / "analysis" / "benchmarks" / "placement.json"
PENDING = 200


class Driver:
    """A command: studies one after another through one bridge, and Ray Tune's part between it and the cluster."""

    def __init__(self, name: str, cluster: Cluster, studies: list[Study], ledger: Ledger) -> None:
        self.name, self.cluster, self.clock = name, cluster, cluster.clock
        self.studies, self.ledger = deque(studies), ledger
        self.bridge = Bridge(lambda: cluster.counted, _packed, keep_seconds=RETURN_SECONDS)
        self.asked: dict[int, BundleTask | None] = {}
        self.cached: list[Worker] = []
        self.returned: list[float] = []
        self.requested: dict[int, None] = {}
        """Parcels that wait for a worker to start."""
        self.cpu = self.free_at = 0.0
        self.finished = False
        self._begin()

    def called(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Return what a call of the driver's thread returns; its CPU time passes on the clock."""
        began = time.process_time()
        answer = function(*arguments, **named)
        spent = time.process_time() - began
        self.cpu += spent
        self.free_at = max(self.free_at, self.clock.now) + spent
        return answer

    def reached(self, number: int, worker: Worker) -> None:
        """A parcel has reached a worker, new or used again."""
        self.requested.pop(number, None)
        self.cluster.starting.pop((self, number), None)
        if worker.living and not self.finished:
            self.called(self.bridge.started, number, worker)
            self._train(number, worker)

    def died(self, worker: Worker) -> None:
        """Take the news that a node is gone."""
        self.requested.pop(worker.number, None)
        if worker in self.cached:
            self.cached.remove(worker)
        elif not self.finished:
            self.called(self.bridge.died, worker.number, FailureKind.PREEMPTION, "the node died")

    def _begin(self) -> None:
        study = self.studies.popleft()
        self.runner = Runner(plan_of(study, Catalogue(PLUGIN)), self.ledger, RunOptions(plugins=PLUGIN))
        self.bridge.attach(self.runner)

    def step(self) -> None:
        """What Ray Tune's loop and the executor's do again and again."""
        if self.finished:
            return
        self.clock.after(max(0.1, self.free_at - self.clock.now), self.step)
        self.called(self.bridge.tick)
        self.called(self.bridge.served.prepare)
        self._ask()
        if self.called(lambda: self.bridge.idle):
            if self.studies:
                self._begin()
            else:
                self._close()

    def _ask(self) -> None:
        while len(self.requested) < PENDING:
            parcel = self.called(self.bridge.next_parcel)
            if parcel is None:
                break
            self.asked[parcel.number] = parcel.unpack().task
            if self.cached:
                self._use_again(parcel.number)
            else:
                self.requested[parcel.number] = None
                self.cluster.request(self, parcel.number)
        for number in [*self.requested][: len(self.cached)]:
            self.requested.pop(number, None)
            self._use_again(number)
        while len(self.cached) > 1:  # Ray Tune keeps one
            self.cluster.give_back(self.cached.pop())

    def _use_again(self, number: int) -> None:
        """A worker that is free goes to a parcel; what was requested for it is not wanted any more."""
        self.cluster.withdraw(self, number)
        worker = self.cached.pop()
        worker.number, worker.stopped = number, False
        self.clock.after(0.01, lambda: self.reached(number, worker))

    def _train(self, number: int, worker: Worker) -> None:
        task = self.asked.pop(number)
        if task is None or worker.stopped:
            worker.stopped = False
            self._heard(number, worker, Message(ended=True).packed())
            return
        seconds = self.cluster.transfer(worker, task.bundle.specs[0].dataset) + SECONDS
        self.clock.after(seconds, lambda: self._trained(number, worker, task))

    def _trained(self, number: int, worker: Worker, task: BundleTask) -> None:
        if not worker.living:
            return
        self.cluster.trained += SECONDS
        worker.ended_at, worker.nap, worker.has_trained = self.clock.now, 0.05, True
        said = Message((report_of(task.bundle),), ended=True, node=str(worker.node))
        self._heard(number, worker, said.packed())

    def _heard(self, number: int, worker: Worker, payload: bytes) -> None:
        if self.free_at > self.clock.now:  # one thread: what comes meanwhile waits
            self.clock.after(self.free_at - self.clock.now, lambda: self._heard(number, worker, payload))
            return
        if not worker.living or self.finished:
            return
        if self.called(self.bridge.take, number, payload):
            self.cached.append(worker)
            self._ask()
        else:
            worker.nap = min(1.1 * worker.nap, 1.0)
            self.clock.after(worker.nap, lambda: self._heard(number, worker, b""))

    def _close(self) -> None:
        self.finished = True
        self.runner.write_record()
        self.cluster.waiting = deque(one for one in self.cluster.waiting if one[0] is not self)
        for worker in [one for one in self.cluster.workers.values() if one.driver is self]:
            self.cluster.give_back(worker)


def _packed(number: int, task: BundleTask) -> Parcel:
    return Parcel(number, Content(task))


def study(name: str, datasets: tuple[str, ...], seeds: int) -> Study:
    """100 arms on some datasets."""
    levels = {"learning_rate": [0.1 * i for i in range(1, 11)], "fairness_weight": [float(i) for i in range(1, 11)]}
    return Study(
        name=name, question="?", design=grid("nothing", levels), datasets=datasets, seeds=seeds, n_epochs=1,
        exploratory=True,
    )  # fmt: skip


def simulated() -> dict[str, Any]:
    """Run four studies of three drivers, and return the figures."""
    clock = Clock()
    for module in (bridge_module, locality, open_bundles, places, under_way, workers):
        module.time = SimpleNamespace(monotonic=lambda: clock.now)  # type: ignore[attr-defined]
    gathering.clock = lambda: clock.now
    small, middle, large = MEGABYTES
    wanted = {
        "one": [study("first", (small, middle), 10), study("second", (small,), 20)],
        "two": [study("third", (middle, large), 10)],
        "three": [study("fourth", (small, middle, large), 6)],
    }
    with ExitStack() as stack:
        cluster, drivers = Cluster(clock), []
        for name, studies in wanted.items():
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            ledger = stack.enter_context(Ledger(Path(folder), writable=True))
            drivers.append(Driver(name, cluster, studies, ledger))
            drivers[-1].step()
        clock.run(lambda: all(driver.finished for driver in drivers))
        cluster.count_places()
        return _figures(cluster, drivers, sum(len(plans) for plans in wanted.values()))


def _figures(cluster: Cluster, drivers: list[Driver], n_studies: int) -> dict[str, Any]:
    attempts = [driver.ledger.table(False, columns=["trial_id", "state"]).to_pylist() for driver in drivers]
    complete = [[row["trial_id"] for row in rows if row["state"] == "complete"] for rows in attempts]
    n_trials = sum(map(len, complete))
    returned = sorted(seconds for driver in drivers for seconds in driver.returned)
    return {
        "studies": n_studies,
        "nodes": NODES,
        "nodes_lost": cluster.lost_nodes,
        "trials_complete": n_trials,
        "trials_twice": n_trials - sum(len(set(ids)) for ids in complete),
        "simulated_s": round(cluster.clock.now, 1),
        "busy": round(cluster.trained / cluster.places, 4),
        "copies_of_datasets": cluster.sent,
        "returned_s": {
            "median": round(statistics.median(returned), 2),
            "of 99 %": round(returned[99 * len(returned) // 100], 2),
            "most": round(returned[-1], 2),
        },
        "driver_ms_a_bundle": round(1e3 * sum(driver.cpu for driver in drivers) / n_trials, 3),
    }


def main() -> None:
    """Simulate, print and write."""
    result = {"command": "python tests/benchmarks/placement.py", **simulated()}
    print(result)
    TARGET.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
