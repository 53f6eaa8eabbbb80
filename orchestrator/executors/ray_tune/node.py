"""`python -m orchestrator.executors.ray_tune.node FOLDER ...`: `ray start`, but lean; for `orchestrator.deploy.ray_node`.

The process stays until Ray ends, and Ray's processes end with it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from orchestrator.executors.ray_tune.folders import SESSION, ray_folder
from orchestrator.executors.ray_tune.private_api import lean_node

__all__ = ["address_file", "command"]


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
        *(sys.executable, "-P", "-m", "orchestrator.executors.ray_tune.node"),
        *(f"--temp-dir={ray_folder(folder)}", "--block", "--disable-usage-stats", *ports, *options),
        f"--include-log-monitor={str(verbose).lower()}",
    ]


def address_file(folder: Path) -> Path:
    """Return the file that holds the cluster's address as soon as Ray runs on this machine."""
    return ray_folder(folder) / "ray_current_cluster"


def main() -> None:
    """Start Ray with the options of this command."""
    from ray.scripts.scripts import start

    with lean_node(SESSION, with_logs="--include-log-monitor=true" in sys.argv):
        start.main(args=sys.argv[1:], prog_name="ray start")


if __name__ == "__main__":
    main()
