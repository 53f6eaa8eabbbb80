"""`python -m orchestrator.executors.ray_cluster.node ...`: `ray start`, but lean; for `orchestrator.deploy.ray_node`.

The process stays until Ray ends, and Ray's processes end with it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestrator.executors.ray_cluster.folders import SESSION, ray_folder
from orchestrator.executors.ray_cluster.private_api import lean_node, let_agents_go

__all__ = ["address", "adopt_orphans", "command"]

SET_DEATH_SIGNAL, SET_CHILD_SUBREAPER = 1, 36
"""Numbers of prctl(2), which only Linux has."""


def command(folder: Path, options: Sequence[str], *, verbose: bool) -> list[str]:
    """Return the command that starts Ray on this machine and waits for its end.

    Args:
        folder: a private one, for all of Ray's files.
        options: further ones of `ray start`.
        verbose: whether what workers print shall reach the driver.
    """
    # Ports are the operating system's choice: Ray's own are the same for every job of a machine.
    ports = ["--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"]
    return [
        *(sys.executable, "-P", "-m", "orchestrator.executors.ray_cluster.node"),
        *(f"--temp-dir={ray_folder(folder)}", "--block", "--disable-usage-stats", *ports, *options),
        f"--include-log-monitor={str(verbose).lower()}",
    ]


def address(folder: Path) -> str:
    """Return the cluster's address as soon as Ray runs on this machine; empty: not yet."""
    try:
        found = (ray_folder(folder) / "ray_current_cluster").read_text().strip()
    except FileNotFoundError:
        return ""
    if found:
        let_agents_go(ray_folder(folder) / SESSION)
    return found


def adopt_orphans() -> None:
    """Have processes below this one become its children when their own parent dies."""
    _prctl(SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def main() -> None:
    """Start Ray with the options of this command; it dies with the process that started it."""
    parent = os.getppid()
    _prctl(SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it has died meanwhile
        return
    from ray.scripts.scripts import start

    with lean_node(SESSION, with_logs="--include-log-monitor=true" in sys.argv):
        start.main(args=sys.argv[1:], prog_name="ray start")


if __name__ == "__main__":
    main()
