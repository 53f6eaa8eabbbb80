"""Checkpoints on their way between a driver and workers that do not see its results folder; no torch, no ray.

A worker on such a machine writes its checkpoints into a folder of its own. The files travel to the driver with its
messages, and with the bundle when that is handed out again, so that a lost machine costs no more than where a folder is
shared.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

from orchestrator.executors.fence import GENERATION_FILE
from orchestrator.trial import BundleTask

__all__ = ["Files", "LocalCopy", "files_in", "forget", "put", "shares"]

Files = tuple[tuple[str, bytes], ...]
"""Names and contents of what lies in a bundle's checkpoint folder."""


def shares(task: BundleTask, word: str) -> bool:
    """Return whether this machine sees the driver's results folder; `word` is what the driver left in it."""
    path = Path(task.checkpoint_folder).parent / GENERATION_FILE
    with contextlib.suppress(OSError, ValueError):
        return path.read_text() == word
    return False


def files_in(folder: Path) -> Files:
    """Return what a checkpoint folder holds; empty if there is none."""
    with contextlib.suppress(OSError):
        return tuple((path.name, path.read_bytes()) for path in _content(folder))
    return ()


def put(folder: Path, files: Files) -> None:
    """Write files into a checkpoint folder, each whole or not at all, and remove what was there before.

    Raises:
        OSError: the folder cannot be written to; what was there is there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files:
        temporary = folder / f".{name}.{os.getpid()}"
        temporary.write_bytes(content)
        temporary.replace(folder / name)
    for path in _content(folder):
        if path.name not in dict(files):
            path.unlink(missing_ok=True)


def forget(folder: Path) -> None:
    """Delete the checkpoint folder of a bundle that is done."""
    shutil.rmtree(folder, ignore_errors=True)


def _content(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


class LocalCopy:
    """The checkpoint folder of one bundle on a worker that does not see the driver's.

    Args:
        task: as the driver sent it.
        base: a folder of this worker's own.
        files: what the bundle goes on from.
    """

    def __init__(self, task: BundleTask, base: Path, files: Files) -> None:
        self._folder = base / Path(task.checkpoint_folder).name
        self.task = replace(task, checkpoint_folder=str(self._folder))
        """The task with that folder in the driver's place."""
        forget(self._folder)  # of a bundle that was here before
        if files:
            put(self._folder, files)
        self._sent = self._state()

    def news(self) -> Files:
        """Return the files if a checkpoint was written since the last call, else nothing."""
        state = self._state()
        if not state or state == self._sent:
            return ()
        self._sent = state
        return files_in(self._folder)

    def _state(self) -> tuple[tuple[str, int], ...]:
        with contextlib.suppress(OSError):
            return tuple((path.name, path.stat().st_mtime_ns) for path in _content(self._folder))
        return ()
