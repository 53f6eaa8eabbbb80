"""What this process may use of its machine: cores and memory, as its affinity, container or batch job leaves them.

Linux keeps both limits in control groups (version 1: a tree for each resource, version 2: one tree), and each group is
also held by those above it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psutil

__all__ = ["cores", "memory_bytes", "memory_bytes_of_a_core"]

ROOT = Path("/")
NO_LIMIT = 2**60
"""Version 1 writes "none" as the largest number of pages."""


@cache
def cores() -> int:
    """Return how many cores this process may keep busy."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, _quota(ROOT) or allowed)


@cache
def memory_bytes() -> int:
    """Return how much memory this process and its family may use."""
    total = int(psutil.virtual_memory().total)
    return min(total, _limit(ROOT) or total)


@cache
def memory_bytes_of_a_core() -> int:
    """Return one core's part of the memory: of a limit if there is one, else of the machine with all its cores."""
    total = int(psutil.virtual_memory().total)
    return memory_bytes() // cores() if memory_bytes() < total else total // (os.cpu_count() or 1)


def _quota(root: Path) -> int | None:
    """Return the cores that the quotas of the control groups come to, rounded up; None: there is none."""
    smallest = min(map(_quota_of, _groups(root, "cpu")), default=math.inf)
    return max(1, math.ceil(smallest)) if math.isfinite(smallest) else None


def _quota_of(group: Path) -> float:
    words = _words(group / "cpu.max") or _words(group / "cpu.cfs_quota_us") + _words(group / "cpu.cfs_period_us")
    if len(words) != 2 or not "".join(words).isdigit():  # "max", or -1
        return math.inf
    return int(words[0]) / int(words[1])


def _limit(root: Path) -> int | None:
    """Return the smallest memory limit of the control groups; None: there is none."""
    smallest = NO_LIMIT
    for group in _groups(root, "memory"):
        for word in _words(group / "memory.max") or _words(group / "memory.limit_in_bytes"):
            if word.isdigit():
                smallest = min(smallest, int(word))
    return smallest if smallest < NO_LIMIT else None


def _groups(root: Path, resource: str) -> Iterator[Path]:
    """Yield the control groups that hold this process, for one resource, from its own upwards."""
    for line in _lines(root / "proc/self/cgroup"):
        _, names, place = line.split(":", 2)
        tree = root / "sys/fs/cgroup"
        if names and resource not in names.split(","):
            continue
        if names:
            tree = next((tree / name for name in (names, resource) if (tree / name).is_dir()), tree / resource)
        group = tree / place.lstrip("/")
        if not group.is_dir():  # a container that sees its own group as the root, and its name outside
            group = tree
        yield group
        while group != tree:
            group = group.parent
            yield group


def _lines(file: Path) -> list[str]:
    try:
        return [line for line in file.read_text().splitlines() if line.count(":") >= 2]
    except OSError:
        return []


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []
