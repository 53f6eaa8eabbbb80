"""A Ray of our own: what it is started with, on this machine and for this process alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.executors.ray_cluster.environment import WORKER_ENVIRONMENT
from orchestrator.executors.ray_cluster.folders import SESSION, ray_folder
from orchestrator.executors.ray_cluster.joining import LOCAL
from orchestrator.executors.ray_cluster.private_api import inherited, lean_node, write_hook
from orchestrator.executors.ray_cluster.template_process import TemplateProcess
from orchestrator.machine.limits import cores

__all__ = ["LOOPBACK", "OBJECT_STORE_BYTES", "begun", "search_path", "store_bytes"]

LOOPBACK = "127.0.0.1"
"""All processes of a Ray that has this very address listen there and nowhere else."""
OBJECT_STORE_BYTES = 256 * 2**20
"""Reports on their way; Ray takes pages as they are used, and spills to its folder beyond."""


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
