"""A process that is killed before its n-th step on the disk."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from orchestrator.ledger import files


class Countdown:
    """Kills its process before the n-th step that touches the disk: an fsync, or an opening, renaming or deletion."""

    def __init__(self, steps: int, folder: Path) -> None:
        self.steps, self.folder = steps, str(folder)
        fsync = os.fsync

        def counted(descriptor: int) -> None:
            self.step()
            fsync(descriptor)

        files.os.fsync = counted
        sys.addaudithook(self.audit)

    def audit(self, event: str, arguments: tuple[object, ...]) -> None:
        """Count a step below the folder."""
        if event in ("open", "os.rename", "os.remove", "os.mkdir") and str(arguments[0]).startswith(self.folder):
            self.step()

    def step(self) -> None:
        """Take one step, or die."""
        self.steps -= 1
        if self.steps < 0:
            os.kill(os.getpid(), signal.SIGKILL)
