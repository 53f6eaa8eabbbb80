"""The private folder of one driver for temporary files: where it may lie, how long its name may be, what is left over.

Ray makes its own folders writable for every user of the machine, so they lie inside one that nobody else may enter.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from orchestrator.errors import RequestError

__all__ = ["PREFIX", "SESSION", "PrivateFolder", "ray_folder", "sweep_leftovers", "temporary_folder"]

PREFIX = "orchestrate-ray-"
ALIVE = "alive"
"""A file in the folder that its driver keeps locked: process numbers mean nothing to another container's driver."""

SESSION = "s"
"""Ray's name for a session; its own choice has 42 characters, of which sockets may not have many."""

_NAME = re.compile(rf"{PREFIX}[0-9]{{1,10}}-[A-Za-z0-9_]+")
LONGEST_NAME = f"{PREFIX}{4194304}-{'x' * 8}"
"""The largest process number of Linux, and what `tempfile` adds."""

_NOBODY = 65534
"""The owner that a container shows for what belongs to nobody in it; root outside, as a rule."""

_SOCKETS = ("plasma_store", "raylet")
_LONGEST_SOCKET = 107 if sys.platform == "linux" else 103
"""Bytes of a socket's path, without the zero at its end."""


def ray_folder(folder: str | Path) -> Path:
    """Return where a Ray of our own has its files, in a private folder."""
    return Path(folder, "r")


class PrivateFolder:
    """A new folder for this process alone (mode 0700), which it keeps marked as in use until `remove`.

    Raises:
        RequestError: there is no place for one.
    """

    def __init__(self) -> None:
        self.path = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=temporary_folder())
        self._mark = os.open(Path(self.path, ALIVE), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._mark, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Delete the folder; safe to call twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._mark >= 0:
            os.close(self._mark)
            self._mark = -1


def temporary_folder() -> str:
    """Return the folder for private folders: that of the environment, or /tmp where that will not do.

    Raises:
        RequestError: neither will do; the line says why.
    """
    reasons = []
    for folder in dict.fromkeys((tempfile.gettempdir(), "/tmp")):
        reason = _unfit(folder)
        if not reason:
            return folder
        reasons.append(f"{folder!r} {reason}")
    raise RequestError(f"no folder for temporary files: {'; '.join(reasons)}; set TMPDIR to a short one of your own")


def _unfit(folder: str) -> str:
    """Return why a folder will not do for private folders with sockets in them; empty: it will."""
    longest = max(len(name) for name in _SOCKETS)
    room = _LONGEST_SOCKET - len(f"/{LONGEST_NAME}/r/{SESSION}/sockets/") - longest
    if len(os.fsencode(folder)) > room:
        return f"has more than {room} bytes in its name, and sockets may have {_LONGEST_SOCKET}"
    others = next(_open_to_others(Path(folder)), None)
    if others is not None:
        return f"is not safe: other users may replace what is in {str(others)!r}"
    return "" if os.access(folder, os.W_OK | os.X_OK) else "cannot be written to"


def _open_to_others(folder: Path) -> Iterator[Path]:
    """Yield the folders on the way to one in which another user may rename or remove what is not theirs."""
    real = folder.resolve()
    for part in (real, *real.parents):
        with contextlib.suppress(OSError):  # one that cannot be looked at cannot be written to
            status = part.stat()
            writable = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX
            if writable or status.st_uid not in (0, _NOBODY, os.geteuid()):
                yield part


def sweep_leftovers() -> None:
    """Remove the private folders of this user's drivers that were killed; whatever else has such a name stays."""
    with contextlib.suppress(RequestError, OSError):
        for folder in Path(temporary_folder()).iterdir():
            if _NAME.fullmatch(folder.name) and _is_left(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    """Return whether a folder is ours and its driver gone."""
    try:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            return False
        mark = os.open(folder / ALIVE, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # another's, gone meanwhile, or not marked yet
        return False
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(mark)
