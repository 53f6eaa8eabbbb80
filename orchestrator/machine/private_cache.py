"""What was worked out once for this user, kept as JSON files that nobody else may write: a cache, never the truth.

Keys are digests of all that the content follows from, so that nothing in here can be out of date. A file that is
damaged, linked, writable by others or of another form reads as absent, and is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["PrivateCache", "cache_folder"]

MOST_BYTES = 2**22
"""Of one file: what is kept is small."""

MOST_FILES = 2_000
"""Of one kind: the oldest half goes when there are more."""


def cache_folder() -> Path:
    """Return the folder of this program's caches: `orchestrate` in `$XDG_CACHE_HOME`, else in `~/.cache`."""
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(chosen) if os.path.isabs(chosen) else Path("~", ".cache").expanduser()
    return base / "orchestrate"


class PrivateCache:
    """The files of one kind.

    Args:
        kind: name of their folder.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind

    @property
    def folder(self) -> Path:
        """Where they are; made by the first `write`."""
        return cache_folder() / self.kind

    def read(self, key: str) -> Any:
        """Return what was kept under a key; None: nothing that can be trusted."""
        if not self._is_safe():
            return None
        try:
            kept = json.loads(_read(self._path(key)))
            content = kept["content"]
            return content if kept["digest"] == _digest(key, content) else None
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def write(self, key: str, content: Any) -> None:
        """Keep what JSON can hold under a key; a folder that cannot be written to costs the keeping only."""
        text = json.dumps({"digest": _digest(key, content), "content": content})
        with contextlib.suppress(OSError):
            cache_folder().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (cache_folder(), self.folder):
                folder.mkdir(mode=0o700, exist_ok=True)
            if self._is_safe():
                _write(self._path(key), text)
                _thin_out(self.folder)

    def _is_safe(self) -> bool:
        return _is_private(cache_folder()) and _is_private(self.folder)

    def _path(self, key: str) -> Path:
        return self.folder / f"{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}.json"


def _digest(key: str, content: Any) -> str:
    text = json.dumps([key, content], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _is_private(folder: Path) -> bool:
    """Return whether a folder is this user's, is no link, and nobody else may change what is in it."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and _is_own(status)


def _is_own(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not (stat.S_ISREG(status.st_mode) and _is_own(status)) or status.st_size > MOST_BYTES:
            raise OSError(f"{path} is no file of this user's own")
        return file.read()


def _write(path: Path, text: str) -> None:
    """Write under a temporary name, which nobody else can read or foresee, then rename."""
    descriptor, name = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with open(descriptor, "w") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _thin_out(folder: Path) -> None:
    names = os.listdir(folder)
    if len(names) > MOST_FILES:
        by_age = sorted((os.lstat(folder / name).st_mtime_ns, name) for name in names)
        for _, name in by_age[: len(by_age) // 2]:
            os.unlink(folder / name)
