"""A Ray of our own: what it is started with, on this machine and for this process alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from orchestrator.executors.ray_cluster.environment import WORKER_ENVIRONMENT
from orchestrator.executors.ray_cluster.folders import SESSION, PrivateFolder, ray_folder
from orchestrator.executors.ray_cluster.joining import LOCAL
from orchestrator.executors.ray_cluster.private_api import inherited, lean_node, write_hook
from orchestrator.executors.ray_cluster.processes import command_of, kill, runs, wait_for_ends
from orchestrator.executors.ray_cluster.template_process import TemplateProcess
from orchestrator.machine.limits import cores

__all__ = ["LOOPBACK", "OBJECT_STORE_BYTES", "OwnRay", "begun", "search_path", "store_bytes"]

LOOPBACK = "127.0.0.1"
"""All processes of a Ray that has this very address listen there and nowhere else."""
OBJECT_STORE_BYTES = 256 * 2**20
"""Reports on their way; Ray takes pages as they are used, and spills to its folder beyond."""
REMOVE_SECONDS = 3.0
"""How long `remove` waits for processes that were killed."""


class OwnRay:
    """What this process has of a Ray: a private folder, and of one that it starts the processes and the template.

    Args:
        quiet: whether messages of Ray and of workers are kept from the terminal.
        forks: whether workers may be copies of one process, the template, which imports what they need meanwhile.
    """

    def __init__(self, *, quiet: bool, forks: bool) -> None:
        self.quiet, self.forks = quiet, forks
        self.template: TemplateProcess | None = None
        self._private: PrivateFolder | None = None
        self._children: list[psutil.Process] = []
        self._vital: dict[int, str] = {}
        """Number of a process that Ray cannot do without -> its name."""
        self._family: list[psutil.Process] = []

    @property
    def folder(self) -> str:
        """For Ray's files (if it is ours) and Tune's; there from `prepare` to `remove`."""
        assert self._private is not None
        return self._private.path

    def prepare(self) -> None:
        """Make the folder, and begin with the template."""
        self._private = PrivateFolder()
        if self.forks and "RAY_AUTH_TOKEN" in os.environ:  # else Ray may write one into a file, which is too late
            environment = {**os.environ, **WORKER_ENVIRONMENT}
            self.template = TemplateProcess(Path(self.folder, "template"), environment, search_path())

    def start(self, options: Mapping[str, Any], closing: Callable[[], bool]) -> Any:
        """Start Ray for this process; once more if it failed: on a busy machine its own limit of 30 s is short.

        Args:
            options: further ones of `ray.init`.
            closing: whether a second start would be for nothing.
        """
        import ray

        for last in (False, True):
            try:
                return begun(Path(self.folder), options, self.template, with_logs=not self.quiet)
            except Exception:
                if last or closing():
                    raise
            finally:
                self._children = [p for p in psutil.Process().children() if self.folder in command_of(p)]
                self._vital = {p.pid: p.name() for p in self._children if p.name() in ("raylet", "gcs_server")}
            self.note_family()
            with contextlib.suppress(Exception):  # nothing may have come up that it could end
                ray.shutdown()
            self.remove()
            self.prepare()

    def dead(self) -> str:
        """Return the name and number of a process that died and that Ray cannot do without; empty: there is none."""
        for process in self._children:
            name = self._vital.get(process.pid)
            if name and not runs(process):
                return f"{name} (process {process.pid})"
        return ""

    def note_family(self) -> None:
        """Note all processes that came of Ray's: once their parents end, nobody can tell whose they were."""
        self._family = []
        for child in self._children:
            with contextlib.suppress(psutil.NoSuchProcess):
                self._family += [*child.children(recursive=True), child]

    def kill_workers(self) -> None:
        """Kill the noted processes that Ray can do without."""
        for process in self._family:
            if process.pid not in self._vital:
                kill(process)

    def remove(self) -> None:
        """Kill what is left of the noted processes, then remove their files."""
        wait_for_ends(self._family, REMOVE_SECONDS)
        for process in self._family:
            if runs(process):
                kill(process)
        wait_for_ends(self._family, REMOVE_SECONDS)
        if self.template is not None:
            self.template.close()
        if self._private is not None:
            self._private.remove()


def begun(folder: Path, options: Mapping[str, Any], template: TemplateProcess | None, *, with_logs: bool) -> Any:
    """Start Ray and connect this process to it; return what `ray.init` does.

    Args:
        folder: a private one, for all of its files.
        options: further ones of `ray.init`.
        template: of which workers are copies; None: each imports by itself.
        with_logs: whether messages of workers shall reach the driver.

    Raises:
        Exception: of any kind, if it does not come up.
    """
    import ray

    importing = threading.Thread(target=_import_tune, name="import tune", daemon=True)
    importing.start()  # while processes start
    environment = {**WORKER_ENVIRONMENT, **write_hook(folder / "hook", search_path())}
    starter = None if template is None else template.starter
    try:
        with inherited(environment), lean_node(SESSION, with_logs=with_logs, agents=False, starter=starter):
            return ray.init(
                address=LOCAL,
                num_cpus=cores(),  # Ray would take what belongs to other jobs: it knows no affinity
                object_store_memory=store_bytes(),
                _node_ip_address=LOOPBACK,
                _temp_dir=str(ray_folder(str(folder))),
                **options,
            )
    finally:
        importing.join()  # two threads that import the same circular packages may find halves of them


def search_path() -> list[str]:
    """Return where this process finds modules, for processes in other folders."""
    return [os.path.abspath(part) for part in sys.path]


def store_bytes() -> int:
    """Return the size of the object store: less than the machine's shared memory, or Ray warns and uses the disk."""
    with contextlib.suppress(OSError):
        return max(80 * 2**20, min(OBJECT_STORE_BYTES, int(0.8 * shutil.disk_usage("/dev/shm").free)))
    return OBJECT_STORE_BYTES


def _import_tune() -> None:
    with contextlib.suppress(Exception):  # whoever needs it imports it again, and says what is wrong
        import ray.tune  # noqa: F401
