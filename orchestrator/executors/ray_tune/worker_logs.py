"""The end of what a dead worker printed, from the files that Ray keeps of each process on its own machine."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from orchestrator.executors.worker_output import tail

__all__ = ["last_words"]

_PID, _ADDRESS = re.compile(r"\bpid: (\d+)"), re.compile(r"\bip: (\S+)")


def last_words(error: str, logs: Path, address: str) -> str:
    """Return the last lines that a dead worker printed, or where they lie; empty where nothing is known.

    Args:
        error: what Ray says of the death; it names the process and its machine.
        logs: where Ray keeps the logs of this machine's processes.
        address: this machine's, as Ray has it.
    """
    pid, place = _PID.search(error), _ADDRESS.search(error)
    if pid is None:
        return ""
    if place is not None and place[1] != address:
        return f"(its output lies on {place[1]}: {logs}/worker-*-{pid[1]}.out and .err)"
    parts = []
    for path in sorted(logs.glob(f"worker-*-{pid[1]}.*"), reverse=True):  # .out, then .err
        with contextlib.suppress(OSError):
            parts.append(tail(str(path)))
    return "\n".join(part for part in parts if part)
