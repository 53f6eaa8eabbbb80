"""A trial's own limits on the machine that trains it: wall time and memory; no part of what the trial is."""

from __future__ import annotations

import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import torch

__all__ = ["TimeLimitError", "held_bytes", "within_memory", "within_seconds"]

_STATM = Path("/proc/self/statm")

DATA = 5
"""Place of the size of data and stacks in that file, in pages."""


class TimeLimitError(Exception):
    """Training took longer than the trials' limit allows."""


@contextmanager
def within_seconds(seconds: float | None) -> Iterator[None]:
    """Interrupt the block after so much wall time; None: never.

    Python looks for the interruption between two of its own instructions: a call into a library comes to its end first.
    In a thread other than the main one nothing interrupts, and the epoch's end looks.

    Raises:
        TimeLimitError: the time is over.
    """
    free = threading.current_thread() is threading.main_thread() and signal.getitimer(signal.ITIMER_REAL)[0] == 0.0
    if seconds is None or not free:
        yield
        return

    def over(number: int, frame: FrameType | None) -> None:
        raise TimeLimitError(f"it took longer than the {seconds:.4g} s that were left to it")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def within_memory(limit: int | None, held: int | None, device: torch.device) -> Iterator[None]:
    """Have allocations fail within the block that would add more than `limit` bytes to the process, or to the card.

    Args:
        limit: None: nothing fails.
        held: what the process held before training began; None: the system does not tell, and nothing fails.
        device: where it is trained.
    """
    if limit is None or held is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = held + limit if hard == resource.RLIM_INFINITY else min(held + limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    if device.type == "cuda":
        torch.cuda.set_per_process_memory_fraction(min(1.0, limit / _card_bytes(device)), device)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
        if device.type == "cuda":
            torch.cuda.set_per_process_memory_fraction(1.0, device)


def held_bytes() -> int | None:
    """Return the bytes of data and stacks that this process has now."""
    try:
        return int(_STATM.read_text().split()[DATA]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        return None


def _card_bytes(device: torch.device) -> int:
    return int(torch.cuda.get_device_properties(device).total_memory)
