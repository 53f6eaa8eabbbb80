"""Ray itself: starting one for this process or connecting to one, and ending it without leaving anything behind."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator.discovery import DatasetKey
from orchestrator.errors import OrchestratorError, RequestError
from orchestrator.executors.ray_cluster.environment import DRIVER_ENVIRONMENT, JOINED_ENVIRONMENT, WORKER_ENVIRONMENT
from orchestrator.executors.ray_cluster.folders import sweep_leftovers
from orchestrator.executors.ray_cluster.joining import LOCAL, check_address, check_cluster, place_of, shipped
from orchestrator.executors.ray_cluster.own_ray import OwnRay
from orchestrator.executors.ray_cluster.private_api import inherited_actors, with_garbage_kept, without_grace
from orchestrator.executors.ray_cluster.template_process import is_possible

__all__ = ["LOCAL", "Cluster"]

PREPARE_SECONDS = 5.0
"""How long `expect` waits for a folder to be there."""
THREAD_SECONDS = 5.0
"""How long `close` waits for the thread of Ray, which a dead Ray may hold for ever."""
JOIN_SECONDS, START_SECONDS = 60.0, 180.0
"""How long a cluster may take to let this process in, and a Ray of our own to start (Ray tries it for 30 s, twice)."""
REJOIN_SECONDS = 180.0
"""How long a machine's node that was counted as dead may take to come back."""


class Cluster:
    """A connection to Ray, in a thread of its own: made while planning goes on, and worked in until it is closed.

    One thread starts Ray, works with it and ends it: Linux ends Ray's processes with the *thread* that started them
    (PR_SET_PDEATHSIG), which is also what ends them when this process is killed.

    Args:
        address: `local`, `auto` or HOST:PORT.
        work: called in the thread, again and again until `close`; it returns when `closing` is true.
        quiet: whether messages of Ray and of workers are kept from the terminal.
        forks: whether workers of a Ray of our own may be copies of one process, which imports what they need meanwhile.
        held: begin with that process only, and with Ray at `release`.
    """

    def __init__(
        self, address: str, work: Callable[[], None], quiet: bool, *, forks: bool = False, held: bool = False
    ) -> None:
        check_address(address)
        self.address, self.work, self.quiet = address, work, quiet
        self._up, self._end, self._expelled = threading.Event(), threading.Event(), threading.Event()
        self._released, self._prepared = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._own = OwnRay(quiet=quiet, forks=forks and self.local and is_possible())
        self.logs = Path()
        """Where Ray keeps what its processes on this machine print; known when it is there."""
        self.dashboard_url = ""
        """Of Ray's dashboard, if the cluster has one."""
        self.node = ""
        """This machine's, of a cluster that was joined."""
        self._environment = dict(os.environ)
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._live, name="ray", daemon=True)
        if not held:
            self._released.set()
        self._prepare_environment()
        self._thread.start()

    @property
    def folder(self) -> str:
        """For Ray's files (if it is ours) and Tune's; known when it is there, removed by `close`."""
        return self._own.folder

    @property
    def local(self) -> bool:
        """Whether Ray was started for this process alone."""
        return self.address == LOCAL

    @property
    def closing(self) -> bool:
        """Whether `work` shall return."""
        return self._end.is_set() or self._expelled.is_set()

    @property
    def expelled(self) -> bool:
        """Whether the cluster does not know this machine any more, and is being joined again."""
        return self._expelled.is_set()

    def release(self) -> None:
        """Begin with Ray, if it was held."""
        if not self._released.is_set():
            self._began = time.monotonic()
            self._released.set()

    def expect(self, method: str, dataset: DatasetKey, place: Callable[[str], Path]) -> None:
        """Have the process that workers are copies of, if there is one, made ready for a method and a dataset.

        Args:
            method: of the project's own.
            dataset: likewise.
            place: (folder of this Ray) -> where the dataset's files shall lie.
        """
        if self._own.forks and self._prepared.wait(PREPARE_SECONDS) and self._own.template is not None:
            self._own.template.expect(method, dataset, place(self.folder))

    def run_apart(self, program: str, argument: str) -> bool:
        """Have a copy of that process run a program, and wait until it has ended; False: there is no such process."""
        if not (self._own.forks and self._prepared.wait(PREPARE_SECONDS) and self._own.template is not None):
            return False
        self._own.template.run(program, argument, _import_ray)
        return True

    def join_again(self) -> None:
        """Have the thread join the cluster anew, as soon as `work` returns: this machine's node is dead to it."""
        self._expelled.set()

    def wait(self) -> None:
        """Return when Ray is there.

        Raises:
            RequestError: it cannot be had.
        """
        deadline = self._began + (START_SECONDS if self.local else JOIN_SECONDS)
        while not self._up.wait(0.1):  # in short waits, so that signals are heard
            if time.monotonic() > deadline:
                seconds = deadline - self._began
                raise RequestError(f"Ray at {self.address!r} lets nobody in for {seconds:g} s; is its head overloaded?")
        if isinstance(self._error, RequestError):
            raise self._error
        if self._error is not None:
            raise RequestError(f"Ray at {self.address!r} cannot be used: {self._error}") from self._error

    def check(self) -> None:
        """Check that the Ray that was started here still runs; one that is gone takes this process along in a minute.

        Raises:
            OrchestratorError: it died, or the cluster that was joined does not let this machine in again.
        """
        if self._error is not None:
            raise OrchestratorError(
                f"the Ray cluster at {self.address!r} counted this machine's node as dead, and cannot be joined again "
                f"({self._error}); start the node anew with `ray start`; nothing complete is lost, the same command "
                "goes on"
            )
        dead = self._own.dead()
        if dead:
            raise OrchestratorError(f"Ray's {dead} died; nothing complete is lost, the same command goes on")

    @property
    def is_down(self) -> bool:
        """Whether the Ray that was started here is dead."""
        return bool(self._own.dead())

    def end(self) -> None:
        """Have the thread end what was started, as soon as `work` returns."""
        self._end.set()
        self._released.set()

    def close(self) -> bool:
        """End what was started, and wait until it is gone; return whether Ray's own end was reached in time."""
        self.end()
        deadline = time.monotonic() + THREAD_SECONDS
        starting = self.local and not self._up.is_set()
        while self._thread.is_alive() and (starting or time.monotonic() < deadline):
            self._thread.join(0.1)
            starting = self.local and not self._up.is_set()
        ended = not self._thread.is_alive()
        if not ended:
            _forget_exit_calls()
            self._own.note_family()
        self._own.remove()
        for name in DRIVER_ENVIRONMENT.keys() | JOINED_ENVIRONMENT.keys() | {"RAY_AUTH_TOKEN", "RAY_AUTH_MODE"}:
            if name in self._environment:
                os.environ[name] = self._environment[name]
            else:
                os.environ.pop(name, None)
        return ended

    def _live(self) -> None:
        # What this thread starts inherits the mask. A signal to all processes (`timeout`, Slurm, systemd, a closed
        # terminal) ends Ray's agents, workers and with them its raylet; but as long as its control store lives, this
        # process can leave in good order.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP})
        try:
            self._start()
        except BaseException as error:  # told by wait(), in the thread that asks
            self._error = error
        self._up.set()
        with inherited_actors() if self.local and self._error is None else contextlib.nullcontext():
            while self._error is None and not self._end.is_set():
                self.work()
                if self._expelled.is_set():
                    self._rejoin()
        self._end.wait()
        self._own.note_family()
        if "ray" not in sys.modules:  # it was held until the end
            return
        import ray

        self._own.kill_workers()  # Ray asks each to end and waits a second, but they hear no SIGTERM
        with contextlib.suppress(Exception), with_garbage_kept(), without_grace():  # what is left is killed by close()
            ray.shutdown()

    def _prepare_environment(self) -> None:
        os.environ.update(DRIVER_ENVIRONMENT)
        if not self.local:
            os.environ.update(JOINED_ENVIRONMENT)
        if "ray" in sys.modules and not ray_token.cache_info().currsize:
            return  # imported by somebody before: it has read already that there is no token, and would refuse ours
        if self.local and not {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN"} & os.environ.keys():
            os.environ["RAY_AUTH_MODE"] = "token"  # else any user of this machine could run code here;
            os.environ["RAY_AUTH_TOKEN"] = ray_token()  # given, Ray writes no file into the home folder

    def _start(self) -> None:
        sweep_leftovers()
        self._own.prepare()
        self._prepared.set()
        self._released.wait()
        if self._end.is_set():
            return
        import ray

        worker: Any = ray._private.worker
        if sys.excepthook is worker.custom_excepthook:  # it tells Ray of our end, and waits a minute for a dead one
            sys.excepthook = worker.normal_excepthook
        for name in ("ray", "ray.tune", "ray.data", "ray.train"):
            logging.getLogger(name).setLevel(logging.WARNING if not self.quiet else logging.CRITICAL)
        context = self._own.start(self._options(), lambda: self.closing) if self.local else self._join()
        self.logs = Path(context.address_info["session_dir"], "logs")
        self.dashboard_url = f"http://{context.dashboard_url}" if context.dashboard_url else ""
        if self.quiet:
            ray._private.worker._worker_logs_enabled = False  # no setting keeps the news of a killed worker off stdout

    def _options(self) -> dict[str, Any]:
        return {
            "include_dashboard": False if self.local else None,  # what Ray itself was started with
            "log_to_driver": not self.quiet,
            "logging_level": logging.WARNING if not self.quiet else logging.CRITICAL,
            "namespace": "orchestrate",
        }

    def _join(self) -> Any:
        """Join the cluster at the address."""
        import ray

        place = place_of(self.address)
        check_address(self.address)
        check_cluster(place)
        context: Any = ray.init(address=place, runtime_env=shipped(WORKER_ENVIRONMENT), **self._options())
        self.node = ray.get_runtime_context().get_node_id()
        return context

    def _rejoin(self) -> None:
        """Leave the cluster and join it again, as soon as this machine has a node there again."""
        import ray

        with contextlib.suppress(Exception), with_garbage_kept():
            ray.shutdown()
        deadline = time.monotonic() + REJOIN_SECONDS
        while not self._end.wait(1.0):
            try:
                context = self._join()
            except Exception as error:
                if time.monotonic() > deadline:
                    self._error = error  # told by check()
                    return
            else:
                self.logs = Path(context.address_info["session_dir"], "logs")
                self._expelled.clear()
                return


def _import_ray() -> None:
    """Import what the thread of Ray will need: whoever waits has the time."""
    import ray
    import ray.tune  # noqa: F401


@cache
def ray_token() -> str:
    """Return this process's secret; one for its life, since Ray remembers the first."""
    return secrets.token_hex(32)


def _forget_exit_calls() -> None:
    """Have the end of this process not wait a minute for a Ray that is dead."""
    import ray
    from ray.tune import registry

    for call in (ray.shutdown, registry._unregister_all):
        atexit.unregister(call)
