"""Processes of a Ray of our own: whether they run, and ending them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

import psutil

__all__ = ["command_of", "kill", "runs", "wait_for_ends"]


def command_of(process: psutil.Process) -> str:
    """Return a process's command line; empty if it has ended (a start that failed leaves children that did)."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def runs(process: psutil.Process) -> bool:
    """Return whether a process runs; one that has ended does not, though nobody may have asked for its status yet."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def wait_for_ends(processes: Sequence[psutil.Process], seconds: float) -> None:
    """Return when none of them runs, after so many seconds at most."""
    deadline = time.monotonic() + seconds
    while any(map(runs, processes)) and time.monotonic() < deadline:
        time.sleep(0.02)


def kill(process: psutil.Process) -> None:
    """Kill a process, if it is there."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()
