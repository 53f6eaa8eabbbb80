"""The executor on Ray Tune: one `Tuner.fit` for all runs. Only this package imports ray, not before it is needed."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterable
from functools import partial

from orchestrator import discovery
from orchestrator.bundles.profile import device_for, next_slice
from orchestrator.errors import OrchestratorError, RequestError
from orchestrator.executors.base import ExecutorOptions, Source
from orchestrator.executors.ray_cluster.capacity import Capacity
from orchestrator.executors.ray_cluster.cluster import LOCAL, Cluster
from orchestrator.executors.ray_cluster.membership import Membership
from orchestrator.executors.ray_cluster.template_process import run_alone
from orchestrator.executors.ray_tune.bridge import Bridge
from orchestrator.executors.ray_tune.packing import Packing
from orchestrator.executors.ray_tune.parcel import Parcel
from orchestrator.executors.ray_tune.threads import Relay, within
from orchestrator.executors.ray_tune.workers import RETURN_SECONDS
from orchestrator.provenance import n_gpus
from orchestrator.trial import BundleTask, TrialSpec

__all__ = ["EXECUTOR", "RayTuneExecutor"]

WARM_WORKERS = 4
"""How many workers of a local Ray start before there is anything to do."""

ANSWER_SECONDS = 10.0
"""How long a cluster may take to say what it offers."""

ROOM_SECONDS = 6.0
"""How long bundles wait for a first worker before it is said why, if the cluster has no room for one."""


class RayTuneExecutor:
    """Trains bundles on a Ray cluster, one worker process for each CPU core or GPU.

    Args:
        address: `local` (a Ray of our own, ended by `close`), `auto`, or HOST:PORT of a running cluster.
        max_concurrent: bundles under way at most; None: as many as the cluster has room for.
        cpus: CPU cores a bundle takes.
        gpus: GPUs that a bundle takes whose device is not `cpu`.
        bundles_per_gpu: how many bundles may share a GPU; only tasks with a `share` below 1 do.
        verbose: whether messages of Ray and of the workers go to the terminal.
        stall_seconds: a bundle without news for so long is lost as `timeout`; None: never.
    """

    def __init__(
        self,
        address: str = LOCAL,
        max_concurrent: int | None = None,
        *,
        cpus: float = 1,
        gpus: float = 0,
        bundles_per_gpu: int = 1,
        verbose: bool = False,
        stall_seconds: float | None = None,
    ) -> None:
        if max_concurrent is not None and max_concurrent < 1:
            raise RequestError(f"--max-concurrent {max_concurrent}: allowed are whole numbers from 1")
        self.address, self.max_concurrent, self.cpus, self.gpus = address, max_concurrent, cpus, gpus
        self.bundles_per_gpu, self.verbose, self.stall_seconds = bundles_per_gpu, verbose, stall_seconds
        self._asked_device = "cuda" if gpus else "cpu"
        self._cluster: Cluster | None = None
        self._relay = Relay()
        self._bridge = Bridge(
            lambda: self._capacity.room,
            self._pack,
            self._warm,
            stall_seconds,
            keep_seconds=None if address == LOCAL else RETURN_SECONDS,
            is_down=lambda: self._cluster is not None and self._cluster.is_down,
            most=max_concurrent,
        )
        self._wanted, self._packing = threading.Event(), Packing()
        self._capacity = Capacity(cpus, gpus, bundles_per_gpu)
        self._membership = Membership(address, self._capacity)

    @classmethod
    def of(cls, options: ExecutorOptions) -> RayTuneExecutor:
        """Return the executor of the command line: a worker takes a GPU if `device` says so.

        Raises:
            RequestError: a device that is none, or GPUs of this machine where it has none.
        """
        device_for(options.device, 1)  # a wrong word is refused before anything starts
        executor = cls(
            options.address,
            max_concurrent=options.max_concurrent or None,
            bundles_per_gpu=options.bundles_per_gpu,
            verbose=options.verbose,
            stall_seconds=options.stall_seconds or None,
        )
        executor._asked_device = options.device
        if options.address == LOCAL:
            executor.device()
        return executor

    def device(self) -> str:
        """Return the kind of device of this executor's workers; a cluster elsewhere is asked what it offers.

        Raises:
            RequestError: GPUs were asked for, and there are none.
        """
        asked = self._asked_device
        here = self.address == LOCAL or asked == "cpu"
        found = device_for(asked, float(n_gpus()) if here else self.offers().get("GPU", 0.0))
        if not self.gpus and found == "cuda":
            self.gpus = self._capacity.gpus = 1  # before the first bundle: until then there are no workers
        return found

    def start(self) -> None:
        """Begin to start or reach Ray in the background; `run` waits for it. Does nothing the second time.

        Raises:
            RequestError: the address is none, or nobody listens there (after 3 s at most).
        """
        if self._cluster is None:
            self._cluster = self._made(held=False)
        self._cluster.release()
        if self.address == LOCAL:
            self._wanted.set()  # workers start while planning goes on; on a shared cluster not before there is work

    def anticipate(self) -> None:
        """Begin to import what workers need, in a process of which they will be copies."""
        if self._cluster is None and self.address == LOCAL:
            self._cluster = self._made(held=True)

    def run_apart(self, program: str, argument: str) -> None:
        """Run a program in a copy of that process, while this one imports Ray; else in a process of its own."""
        if self._cluster is None or not self._cluster.run_apart(program, argument):
            run_alone(program, argument)

    def expect(self, specs: Iterable[TrialSpec], plugins: tuple[str, ...] = ()) -> None:
        """Have that process import methods and load datasets too, of the project's own: a user's may not bear it."""
        for spec in specs:
            if self._cluster is not None and _is_built_in(spec, plugins):
                key = (spec.dataset, spec.protocol, plugins)
                self._cluster.expect(spec.method, key, partial(self._packing.place, key))

    def _made(self, *, held: bool) -> Cluster:
        self._packing.clear()
        return Cluster(self.address, self._work, quiet=not self.verbose, forks=not self.gpus, held=held)

    def wait(self) -> None:
        """Return when Ray is there.

        Raises:
            RequestError: it cannot be started or reached.
        """
        self.start()
        assert self._cluster is not None
        self._cluster.wait()
        _restore_signals()

    def run(self, source: Source) -> None:
        """Train until the source is finished, or stopping.

        Raises:
            CodeMismatchError: a worker would run other code than the driver.
            RequestError: Ray cannot be started or reached.
        """
        if source.finished:
            return
        self.wait()
        bridge = self._bridge
        self._relay.call(bridge.attach, source)
        self._capacity.answered_at = time.monotonic()  # it was asked nothing since the last run
        self._wanted.set()
        self._relay.serve(lambda: bridge.idle, self._tick, bridge.detach, bridge.served.prepare)
        if bridge.served.failure is not None:
            raise bridge.served.failure

    def offers(self) -> dict[str, float]:
        """Return what the whole cluster offers now, by resource (`CPU`, `GPU`, ...); waits for Ray.

        Raises:
            RequestError: the cluster does not answer.
        """
        self.wait()
        import ray

        try:
            found: dict[str, float] = within(ANSWER_SECONDS, ray.cluster_resources)
        except TimeoutError:
            raise RequestError(f"Ray at {self.address!r} gives no answer for {ANSWER_SECONDS:g} s") from None
        return found

    def end(self) -> None:
        """Begin to end Ray's processes, if they are ours; `close` waits until they are gone. Nothing runs after it."""
        if self._cluster is not None:
            self._cluster.end()
            self._wanted.set()

    @property
    def folder(self) -> str:
        """Of Ray's files, if it is ours, and of Tune's; there once Ray is wanted, removed by `close`."""
        assert self._cluster is not None
        return self._cluster.folder

    def dashboard(self) -> str:
        """Return the address of the cluster's dashboard; empty: it has none. Waits for Ray, but for a private one."""
        if self.address == LOCAL:
            return ""
        self.wait()
        assert self._cluster is not None
        return self._cluster.dashboard_url

    def close(self) -> None:
        """End Ray's processes, if they are ours; safe to call twice."""
        if self._cluster is not None:
            cluster, self._cluster = self._cluster, None
            self._wanted.set()
            if cluster.close():  # else Ray shuts down still, and a reference that goes now would end the process
                self._packing.clear()

    def _work(self) -> None:
        """Run Tune, in the cluster's thread."""
        from orchestrator.executors.ray_tune.fit import TuneSide, fit

        self._wanted.wait()
        cluster = self._cluster
        if cluster is None or cluster.closing:
            return
        try:
            side = TuneSide(
                bridge=self._bridge,
                call=self._relay.call,
                closing=lambda: cluster.closing,
                storage=f"{cluster.folder}/tune",
                logs=cluster.logs,
                look_around=self._capacity.look,
            )
            fit(side)
        except Exception as error:
            if not self._membership.may_join_again(cluster, error):
                self._wanted.clear()
                self._relay.call(self._bridge.collapsed, error)  # raised by run(), in the thread that asks
                return
            cluster.join_again()
        if cluster.expelled:
            self._relay.call(self._scatter)

    def _scatter(self) -> None:
        """Take the news that this process is in the cluster no more: what it had there is gone."""
        self._bridge.scattered("this machine's node was counted as dead by its cluster, which is joined again")
        self._packing.clear()
        self._capacity.forget()

    def _resources(self, parcel: Parcel) -> dict[str, float]:
        """Return what the worker of a parcel takes of its node: of a method that says so several GPUs, or cores."""
        cards = 0.0 if parcel.device == "cpu" else parcel.share * parcel.cards
        return self._capacity.asked_by(parcel.cores, cards, may_grow=self.address != LOCAL)

    def _tick(self) -> None:
        assert self._cluster is not None
        try:
            self._membership.check(self._cluster)
        except OrchestratorError as error:
            self._bridge.collapsed(error)
            return
        self._bridge.tick()
        since = self._bridge.waits_since()
        self._capacity.waited_for = since < float("inf")
        if since < time.monotonic() - ROOM_SECONDS:
            self._bridge.note(self._capacity.why_waiting())

    def _warm(self, number: int) -> Parcel | None:
        """Return a parcel that only has a worker started, for the first few numbers."""
        if self.address != LOCAL or number > WARM_WORKERS:
            return None
        parcel = Parcel(number, device="cuda" if self.gpus else "cpu")
        parcel.resources = self._resources(parcel)
        return parcel

    def _pack(self, number: int, task: BundleTask) -> Parcel:
        """Return a task's parcel, with its share of a card."""
        assert self._cluster is not None
        parcel = Parcel(number, self._packing.content(task, self._cluster.folder if self._cluster.local else None))
        if task.share < 1.0:
            parcel.share = next_slice(task.share, self._bridge.shares, self._capacity.cards)
        parcel.resources = self._resources(parcel)
        return parcel


EXECUTOR = RayTuneExecutor


def _is_built_in(spec: TrialSpec, plugins: tuple[str, ...]) -> bool:
    """Return whether method and dataset are the project's own."""
    own = (("method", spec.method), ("dataset", spec.dataset))
    return all(discovery.is_built_in(kind, name, plugins) for kind, name in own)


def _restore_signals() -> None:
    """Put Python's signal handlers back: when Ray starts, it overwrites them with one that dumps its stack and dies."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if handler is not None:
                signal.signal(number, handler)
