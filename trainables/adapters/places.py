"""The folders of one trial of a program: some are gone when it ends, one is there again when it is started again."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestrator.trial import BundleTask, ids
from trainables.members_file import name_members

__all__ = ["Places"]

OWN = "own."
"""Beginning of the name of a program's folder in its bundle's checkpoint folder; the fence follows."""

SAID = "reports.jsonl"


class Places:
    """Where a program of one trial writes.

    Args:
        task: its bundle, of one member.
        resumes: whether the program goes on from files that it leaves.
    """

    def __init__(self, task: BundleTask, *, resumes: bool) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="orchestrate-trial-"))
        """Deleted by `close`."""
        self.out, self.kept = self.base / "out", self.base / "keep"
        self._own = _own_folder(task) if resumes and task.checkpoint_folder else None
        self.checkpoint = (self._own or self.base) / "checkpoint"
        """There again when the trial is started again, on this machine or one that sees the results folder."""
        for folder in (self.out, self.kept, self.checkpoint):
            folder.mkdir(exist_ok=True, parents=True)

    def said_before(self) -> Iterator[tuple[int | None, int, Mapping[str, float]]]:
        """Yield (number of the first epoch, epoch from 1, numbers) of what was reported before it was started again."""
        if self._own is None or not (self._own / SAID).is_file():
            return
        for line in (self._own / SAID).read_text().splitlines():
            with contextlib.suppress(ValueError):  # the last one may be cut short
                first, epoch, numbers = json.loads(line)
                yield first, epoch, numbers

    def say(self, first_epoch: int | None, epoch: int, numbers: Mapping[str, float]) -> None:
        """Keep what was reported, for a later start."""
        if self._own is not None:
            with (self._own / SAID).open("a") as file:
                file.write(json.dumps([first_epoch, epoch, numbers]) + "\n")

    def close(self) -> None:
        """Delete what nobody needs any more; what it resumes from stays until its bundle has ended."""
        shutil.rmtree(self.base, ignore_errors=True)


def _own_folder(task: BundleTask) -> Path:
    """Return the folder of the program under this handing out of its bundle, with what earlier ones left.

    That of an earlier one is taken by renaming: a program that lives on somewhere loses it, and cannot mix its files
    with those of the one that counts.
    """
    bundle = Path(task.checkpoint_folder)
    name_members(bundle, ids(task.bundle.specs))
    own = bundle / f"{OWN}{task.fence or '0'}"
    earlier = sorted(path for path in bundle.glob(f"{OWN}*") if path.is_dir() and path.name < own.name)
    if earlier and not own.exists():
        with contextlib.suppress(OSError):
            earlier[-1].rename(own)
            earlier.pop()
    own.mkdir(exist_ok=True, parents=True)
    for path in earlier:
        shutil.rmtree(path, ignore_errors=True)
    return own
