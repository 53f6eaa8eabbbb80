"""What the folders of a results folder take on disk, and the deletion of those that a run makes again."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from orchestrator.ledger import Ledger, plain_files

__all__ = ["clean"]


def clean(results: Path, *, remove: bool, remove_kept: bool = False) -> list[dict[str, Any]]:
    """Return the disk use of each folder of the results.

    Args:
        results: the results folder.
        remove: delete checkpoints and artifacts first.
        remove_kept: delete first what studies keep of trials; only training makes it again.
    """
    removable = ("checkpoints", "artifacts")
    with Ledger(results, writable=remove or remove_kept) as ledger:
        if remove_kept:
            ledger.kept.forget()
        if remove:
            for name in removable:
                shutil.rmtree(plain_files.inside(results, name), ignore_errors=True)  # follows no link in it either
        names = [path.name for path in plain_files.folders(results)]
        return [{"folder": name, "bytes": _bytes(results / name), "removable": name in removable} for name in names]


def _bytes(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):  # a run that is under way deletes files and folders meanwhile
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(Path(place, name)).st_size
    return total
