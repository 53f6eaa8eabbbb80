"""How a program that was not written for this project failed: the kind, and what it said."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from pathlib import Path

from orchestrator.trial import FailureKind
from trainables.adapters.processes import End

__all__ = ["EndedError", "failure_of", "killed_by_memory", "tail"]

MOST_BYTES = 32 * 1024
"""Of each stream that is kept of a failure: its end."""

IN_ERROR = 4_000
"""Characters of it that go into the error of the row."""

OUT_OF_MEMORY = re.compile(
    r"out of memory|OutOfMemoryError|\bMemoryError\b|[Cc]annot allocate memory|can't allocate memory|"
    r"not enough memory|std::bad_alloc|CUBLAS_STATUS_ALLOC_FAILED|RESOURCE_EXHAUSTED",
    re.IGNORECASE,
)
"""What programs say when memory runs out."""

KILLED = (signal.SIGKILL, 128 + signal.SIGKILL)
"""How a process ends that the kernel killed, and its shell's exit status for it."""

AWAY = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""Signals by which somebody else ends a program."""


class EndedError(Exception):
    """A program failed.

    Args:
        text: what the row says of it.
        kind: of the failure.
        log: the end of what it printed.
    """

    def __init__(self, text: str, kind: FailureKind, log: str = "") -> None:
        super().__init__(text)
        self.text, self.kind, self.log = text, kind, log


def failure_of(line: str, end: End, stdout: str, stderr: str, *, memory_ran_out: bool) -> EndedError:
    """Return the error of a command that ended with another status than 0.

    Args:
        line: the command line, for the message.
        end: how it ended.
        stdout: the end of what it printed.
        stderr: the end of what it complained.
        memory_ran_out: whether the kernel killed somebody for memory meanwhile.
    """
    said = stderr.strip() or stdout.strip()
    how = f"exit status {end.status}" if not end.signal else f"signal {end.signal} ({_name(end.signal)})"
    number = end.signal or end.status
    if OUT_OF_MEMORY.search(said) or (number in KILLED and memory_ran_out):
        kind = FailureKind.OUT_OF_MEMORY
    elif number in KILLED or end.signal in AWAY:
        kind = FailureKind.INFRASTRUCTURE
    else:
        kind = FailureKind.BUG
    log = "\n".join(part for part in (stdout.strip(), stderr.strip()) if part)
    return EndedError(f"{how}: {line}\n{said[-IN_ERROR:]}".rstrip(), kind, log)


def tail(path: Path) -> str:
    """Return the end of a file, as text; of lines that a progress bar wrote over each other the last."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - MOST_BYTES))
            content = file.read()
    except OSError:
        return ""
    lines = [line.rstrip(b"\r").rpartition(b"\r")[2] for line in content.split(b"\n")]
    return b"\n".join(lines).decode(errors="replace")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


def killed_by_memory() -> int:
    """Return how many processes the kernel has killed for memory, in this control group or on this machine."""
    for path in (_events(), Path("/proc/vmstat")):
        try:
            counts: Mapping[str, str] = dict(line.split() for line in path.read_text().splitlines())
        except (OSError, ValueError):
            continue
        if "oom_kill" in counts:
            return int(counts["oom_kill"])
    return 0


def _events() -> Path:
    """Return the file in which version 2 of control groups counts."""
    try:
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            number, _, place = line.split(":", 2)
            if number == "0":
                return Path("/sys/fs/cgroup", place.strip("/"), "memory.events")
    except (OSError, ValueError):
        pass
    return Path("/sys/fs/cgroup/memory.events")
