"""One driver a results folder: an flock on `lock`, with a line inside that says who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shlex
import sys
from datetime import datetime
from pathlib import Path

from orchestrator.errors import LedgerLockedError
from orchestrator.ledger.files import os_errors

__all__ = ["FolderLock", "holder_of"]


class FolderLock:
    """Holds a results folder for this process.

    The kernel lets go of the lock when the holder dies, however it dies; the file stays, so that no two drivers can
    ever lock two different files of one name. A forked child gives its copy of the descriptor back at once: a child
    that outlives a killed driver must not keep the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._folder = folder
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the lock.

        Raises:
            LedgerLockedError: another process holds it; the text says which.
            LedgerError: the file cannot be made here.
        """
        with os_errors(f"results folder {str(self._folder)!r} cannot be locked"):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            self._take(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        os.register_at_fork(after_in_child=self._forget)

    def _take(self, descriptor: int) -> None:
        with os_errors(f"results folder {str(self._folder)!r} cannot be locked"):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _holder(os.pread(descriptor, 4096, 0))
                raise LedgerLockedError(
                    f"results folder {str(self._folder)!r} is in use by {holder}; "
                    "wait for it, end it, or name another folder with --results"
                ) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, _claim(), 0)

    def release(self) -> None:
        """Let go; safe to call twice."""
        self._forget()

    def _forget(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def holder_of(folder: Path) -> str:
    """Return who holds a results folder now, in words; empty: nobody. Looking never blocks a driver for long."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(os.pread(descriptor, 4096, 0))
    finally:
        os.close(descriptor)
    return ""


def _claim() -> bytes:
    claim = {
        "pid": os.getpid(),
        "host": platform.node(),
        "started_at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])[:500],
    }
    return json.dumps(claim).encode()


def _holder(content: bytes) -> str:
    try:
        claim = json.loads(content)
        return f"process {claim['pid']} on {claim['host']} since {claim['started_at']} ({claim['command']})"
    except (ValueError, KeyError, TypeError):
        return "another process (it has not yet said which)"
