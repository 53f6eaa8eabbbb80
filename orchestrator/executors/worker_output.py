"""What this process says while it trains: kept until it is known whether anybody will want to read it."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import sys
from collections import deque
from collections.abc import Iterator

__all__ = ["MOST_BYTES", "FileOutput", "recorded", "tail"]

MOST_BYTES = 32 * 1024
"""Of each of the two streams that are kept of a bundle: their ends."""

MOST_RECORDS = 200

_OF_RAY = (b":job_id:", b":actor_name:", b":task_name:")
"""Lines that Ray writes into its files for itself."""


class FileOutput:
    """The two standard streams of a worker process, which Ray sends to files, from a mark on.

    The files are read again through the open descriptors, so that output of C code is there too, and nothing stands
    between the program and its streams. A stream that is no file (a terminal, a pipe) is left alone.
    """

    def __init__(self) -> None:
        self._begin = {1: 0, 2: 0}

    def mark(self) -> None:
        """Forget what was said until now."""
        for number in self._begin:
            self._begin[number] = self._size(number)

    def since(self) -> str:
        """Return what was said since the mark, its end if it is long."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        parts = []
        for number, begin in self._begin.items():
            if self._size(number) > begin:
                with contextlib.suppress(OSError):
                    parts.append(tail(f"/proc/self/fd/{number}", begin))
        return "\n".join(filter(None, parts))

    @staticmethod
    def _size(number: int) -> int:
        with contextlib.suppress(OSError):
            status = os.fstat(number)
            return status.st_size if stat.S_ISREG(status.st_mode) else 0
        return 0


def tail(path: str, begin: int = 0) -> str:
    """Return the end of a file, from `begin` on at most, in whole lines, without those that Ray writes for itself.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(begin, size - MOST_BYTES)
        file.seek(start)
        lines = file.read().splitlines()
    if start > begin:
        del lines[:1]  # its beginning is missing
    return b"\n".join(line for line in lines if not line.startswith(_OF_RAY)).decode(errors="replace").strip()


@contextlib.contextmanager
def recorded() -> Iterator[deque[str]]:
    """Keep the last log records of this process, for training that has no process, and so no files, of its own."""
    kept: deque[str] = deque(maxlen=MOST_RECORDS)

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(self.format(record)[:2000])

    handler = Keep(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    added: list[logging.Handler] = [handler]
    if not root.handlers and logging.lastResort is not None:
        added.append(logging.lastResort)  # else a handler of ours would keep warnings off the terminal
    for one in added:
        root.addHandler(one)
    try:
        yield kept
    finally:
        for one in added:
            root.removeHandler(one)
