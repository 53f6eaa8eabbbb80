"""Which files a dataset is read from: watched while it is loaded, so that what is known of it holds while they stay.

Python tells of every file that it opens (`sys.addaudithook`); what it does not see (processes, threads, the network,
libraries that open files by themselves) makes the list incomplete, and then nothing is kept.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["Sources", "are_unchanged", "watched"]

MOST_SOURCES = 4_096
"""More than this takes longer to look at than a dataset to load."""

SEEN = ("open", "os.listdir", "os.scandir")

UNSEEN = ("subprocess.", "os.fork", "os.posix_spawn", "os.system", "socket.connect", "sqlite3.connect")
"""Beginnings of the events after which files may be read unseen."""

IMPORTS = "<frozen importlib"
"""Where imports look for files and read them; what was imported is looked at for itself."""

BLIND = frozenset({"cv2", "duckdb", "h5py", "lmdb", "netCDF4", "polars", "rasterio", "tables", "zarr"})
"""Packages that open files without Python."""

Stamp = list[Any]
"""[path, size, time of the last change in ns]."""


class Sources:
    """What was opened while it watched.

    Args:
        thread: whose doings count.
    """

    def __init__(self, thread: int) -> None:
        self._thread, self._paths, self._complete = thread, set[str](), True

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an audit event, one of those of which files are read."""
        if threading.get_ident() != self._thread:
            return
        if event in SEEN:
            self._opened(arguments[0])
        else:
            self.missed()

    def missed(self) -> None:
        """Take the news that something may be read unseen."""
        if threading.get_ident() == self._thread:
            self._complete = False

    def stamps(self, modules: Mapping[str, ModuleType]) -> list[Stamp] | None:
        """Return what is to stay as it is: files, folders, and the code of imported modules that no package brings.

        None: that cannot be told.
        """
        loaded = dict(modules)  # at once: other threads import meanwhile
        paths = self._paths | {path for path in map(_own_code, loaded.values()) if path}
        if not self._complete or len(paths) > MOST_SOURCES or not BLIND.isdisjoint(loaded):
            return None
        stamps = [_stamp(path) for path in sorted(paths)]
        return [stamp for stamp in stamps if stamp is not None]

    def _opened(self, path: object) -> None:
        if path is None:  # the folder that this process is in
            path = os.curdir
        if isinstance(path, bytes | str | os.PathLike):  # else a descriptor, of something that was opened before
            name = os.path.abspath(os.fsdecode(path))
            if not name.startswith(("/proc/", "/sys/", "/dev/")):
                self._paths.add(name)


def are_unchanged(stamps: Sequence[Stamp]) -> bool:
    """Return whether files and folders are as they were stamped."""
    return all(_stamp(stamp[0]) == list(stamp) for stamp in stamps)


@contextmanager
def watched() -> Iterator[Sources]:
    """Watch what this thread opens within the block."""
    global _watching  # noqa: PLW0603  # audit hooks stay for ever, so there is one, which looks whom to tell
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_heard)
    before, _watching = _watching, Sources(threading.get_ident())
    start, watching = threading.Thread.start, _watching

    def start_unseen(self: threading.Thread) -> None:
        watching.missed()
        start(self)

    threading.Thread.start = start_unseen  # type: ignore[method-assign]  # Python 3.11 tells of no threads
    try:
        yield watching
    finally:
        threading.Thread.start = start  # type: ignore[method-assign]
        _watching = before


_hooked: list[bool] = []
_watching: Sources | None = None


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching is None or not (event in SEEN or event.startswith(UNSEEN)):
        return
    if not sys._getframe(1).f_code.co_filename.startswith(IMPORTS):
        _watching.heard(event, arguments)


def _stamp(path: str) -> Stamp | None:
    """Return the stamp of a file or folder; None: it is gone, as temporary ones are."""
    try:
        about = os.stat(path)
    except (OSError, ValueError):
        return None
    return [path, about.st_size, about.st_mtime_ns]


def _own_code(module: ModuleType) -> str:
    """Return the file of a module that neither Python, nor an installed package, nor this project brings."""
    path = getattr(module, "__file__", None)
    if not isinstance(path, str) or not path.endswith(".py"):
        return ""
    return "" if path.startswith(_BROUGHT) or f"{os.sep}site-packages{os.sep}" in path else os.path.abspath(path)


_CHECKOUT = Path(__file__).parents[2]
_OF_PYTHON = Path(os.__file__).parent
_OF_PROJECT = [_CHECKOUT / name for name in ("orchestrator", "trainables", "studies", "analysis")]
_BROUGHT = tuple(f"{folder}{os.sep}" for folder in (_OF_PYTHON, *_OF_PROJECT))
