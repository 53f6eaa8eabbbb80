"""Which handing out of a bundle comes after which, across drivers and clocks, and the mark that stops the earlier ones.

A worker that a network cut off, or whose machine stood still, works on. When its bundle is handed out again, two
processes train it; the fence of the later one sorts after that of the earlier one, and no file of an earlier one counts
from then on (`trainables.training.checkpoints` holds to it).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from dataclasses import replace
from pathlib import Path

from orchestrator.trial import FENCE_MARK, BundleTask

__all__ = ["GENERATION_FILE", "Fences", "mark"]

GENERATION_FILE = ".generation"
"""In the folder of all checkpoints: the number of the last driver that handed out bundles, and a word of its own."""


class Fences:
    """Gives each task that an executor hands out a fence that sorts after all earlier ones of its results folder."""

    def __init__(self) -> None:
        self._drivers: dict[Path, tuple[int, str]] = {}
        self._count = 0
        self._out: set[str] = set()

    def fenced(self, task: BundleTask) -> BundleTask:
        """Return the task with a fence; an earlier handing out of its bundle stops writing checkpoints."""
        if not task.checkpoint_folder:
            return task
        self._count += 1
        folder = Path(task.checkpoint_folder)
        fence = f"{self._driver(folder.parent)[0]:010d}-{self._count:06d}"
        if task.checkpoint_folder in self._out or folder.is_dir():
            mark(folder, fence)
        self._out.add(task.checkpoint_folder)
        return replace(task, fence=fence)

    def word(self, task: BundleTask) -> str:
        """Return what stands in the task's results folder: a worker that reads the same there shares the folder."""
        if not task.checkpoint_folder:
            return ""
        number, word = self._driver(Path(task.checkpoint_folder).parent)
        return f"{number} {word}"

    def _driver(self, folder: Path) -> tuple[int, str]:
        """Return this driver's number, larger than any earlier driver's of a folder, and its word.

        Numbers follow the clock, or the last number where the clock of that driver was ahead.
        """
        if folder not in self._drivers:
            path = folder / GENERATION_FILE
            number, word = int(time.time()), secrets.token_hex(8)
            with contextlib.suppress(OSError, ValueError):
                number = max(number, int(path.read_text().partition(" ")[0]) + 1)
            with contextlib.suppress(OSError):  # where nothing can be written there are no checkpoints either
                folder.mkdir(parents=True, exist_ok=True)
                temporary = path.with_name(f"{GENERATION_FILE}.{os.getpid()}")
                temporary.write_text(f"{number} {word}")
                temporary.replace(path)
            self._drivers[folder] = (number, word)
        return self._drivers[folder]


def mark(folder: Path, fence: str) -> None:
    """Leave the mark of a fence in a bundle's checkpoint folder, in place of those of earlier ones."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{FENCE_MARK}{fence}").touch()
        for other in folder.glob(f"{FENCE_MARK}*"):
            if other.name < f"{FENCE_MARK}{fence}":
                other.unlink(missing_ok=True)
