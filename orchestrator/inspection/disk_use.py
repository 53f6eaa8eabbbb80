"""What the folders of a results folder take on disk, and the deletion of those that a run makes again."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from orchestrator.ledger import Ledger

__all__ = ["clean"]


def clean(results: Path, *, remove: bool) -> list[dict[str, Any]]:
    """Return the disk use of each folder of the results; with `remove`, delete checkpoints and artifacts first."""
    removable = ("checkpoints", "artifacts")
    with Ledger(results, writable=remove):
        if remove:
            for name in removable:
                shutil.rmtree(results / name, ignore_errors=True)
        names = sorted(path.name for path in results.iterdir() if path.is_dir()) if results.is_dir() else []
        return [{"folder": name, "bytes": _bytes(results / name), "removable": name in removable} for name in names]


def _bytes(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):  # a run that is under way deletes files and folders meanwhile
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.stat(Path(place, name)).st_size
    return total
