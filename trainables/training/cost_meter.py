"""What training costs: each member's share of the wall time, the peak memory of the process or the device."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

__all__ = ["Costs"]

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Costs:
    """Seconds by member and the peak memory since it was made (or since the checkpoint it goes on from).

    The clock runs inside `charged` only: what the receiver does with a report is nobody's training time.
    """

    def __init__(self, n_members: int, device: torch.device) -> None:
        self.seconds = [0.0] * n_members
        self.device = device
        self.earlier_peak = 0
        _reset_peak(device)

    @contextmanager
    def charged(self, members: Sequence[int]) -> Iterator[None]:
        """Divide the wall time of the block evenly among `members`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            share = (time.perf_counter() - started) / max(1, len(members))
            for member in members:
                self.seconds[member] += share

    def peak_memory_bytes(self) -> int:
        """Return the peak so far, of the device if it is a GPU, else of the process."""
        return max(self.earlier_peak, _peak(self.device))

    def of(self, member: int) -> Mapping[str, float]:
        """Return the cost columns of a member, named without `cost.`."""
        seconds = self.seconds[member]
        return {
            "seconds": seconds,
            "peak_memory_bytes": float(self.peak_memory_bytes()),
            "gpu_seconds": seconds if self.device.type == "cuda" else 0.0,
        }


def _reset_peak(device: torch.device) -> None:
    """Forget earlier peaks, where the system allows: a worker trains many bundles in one process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    try:
        _CLEAR.write_text("5")
    except OSError:
        return  # not Linux, or not allowed: the peak is then that of the process's life


def _peak(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, others kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
