"""Plain files in plain folders: what is opened below a results folder that somebody else may have made.

Three rules. No link is followed, whatever it points to: whoever sends a folder must not choose what else is read,
written or deleted here. Only plain files are opened: a pipe would wait for ever, a device never ends. And what was read
is taken for JSON only within bounds. The results folder itself, and what lies above it, is the user's own choice and
may be a link.
"""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from pathlib import Path
from typing import Any

from orchestrator.errors import LedgerError

__all__ = [
    "append",
    "create",
    "folders",
    "inside",
    "kind_of",
    "one_line",
    "parsed",
    "read",
    "require_file",
    "require_plain",
]

MOST_JSON_BYTES = 2**26
"""Of a file of JSON: the largest study.json of ours is some 2 MB."""

LINK = "is a link, which is not followed"


def inside(results: Path, *names: str) -> Path:
    """Return the path of something below a results folder; it may be absent.

    Raises:
        LedgerError: a name would leave the folder, or the path goes through a link.
    """
    path = Path(results)
    for name in names:
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise LedgerError(f"{name!r} is no name of a file in results folder {str(results)!r}")
        path = path / name
        if os.path.islink(path):
            raise LedgerError(f"{str(path)!r} {LINK}; remove it, or put what it points to in its place")
    return path


def require_plain(root: Path, *names: str) -> Path:
    """Return the folder or file at `names` below `root` after looking at all that is in it; it may be absent.

    Raises:
        LedgerError: there is a link or a special file on the way or in it; the line names the first one.
    """
    place = inside(root, *names)
    for folder, names_of_folders, names_of_files in os.walk(place):
        for name in sorted((*names_of_folders, *names_of_files)):
            kind = kind_of(Path(folder, name))
            if kind not in ("a file", "a folder"):
                raise LedgerError(f"{os.path.join(folder, name)!r} is {kind}, which is not written to; remove it")
    return place


def kind_of(path: Path) -> str:
    """Return what a path is: `a file`, `a folder`, `a link`, `a pipe or device`, `nothing`."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return "nothing"
    if stat.S_ISLNK(mode):
        return "a link"
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a file" if stat.S_ISREG(mode) else "a pipe or device"


def folders(place: Path) -> list[Path]:
    """Return the real folders in a folder, by name; none if it is absent, or a link.

    Raises:
        OSError: it cannot be listed.
    """
    if kind_of(place) in ("nothing", "a link"):
        return []
    with os.scandir(place) as entries:
        return sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))


def read(path: Path, most: int | None = None) -> bytes:
    """Return the content of a plain file.

    Raises:
        OSError: it cannot be read, is a link or no plain file, or holds more than `most` bytes.
        FileNotFoundError: it is absent.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP and os.path.islink(path):
            raise OSError(errno.ELOOP, LINK, str(path)) from None
        raise
    try:
        require_file(descriptor, path)
        size = os.fstat(descriptor).st_size
        if most is not None and size > most:
            raise OSError(errno.EFBIG, f"has {size} bytes; at most {most} are read", str(path))
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def require_file(descriptor: int, path: Path) -> None:
    """Raise OSError unless what was opened is a plain file."""
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        what = "is a folder" if stat.S_ISDIR(mode) else "is no plain file"
        raise OSError(errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL, what, str(path))


def parsed(content: bytes, *, nan: bool = False) -> Any:
    """Return JSON as Python values: numbers in range, not nested without end.

    Args:
        content: the text.
        nan: whether it may hold NaN and Infinity, as Python writes them: an objective that no trial had.

    Raises:
        ValueError: it is none.
    """
    try:
        return json.loads(content, parse_float=_finite, parse_constant=float if nan else _refused)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"number {text[:40]} is out of range")
    return value


def _refused(text: str) -> float:
    raise ValueError(f"{text} is no number")


def one_line(text: str) -> str:
    """Return a text for a terminal, as one line: names of files may hold anything, also what moves the cursor."""
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))


def append(path: Path, line: bytes) -> None:
    """Add a line to a plain file, which is made if it is absent.

    Raises:
        OSError: it cannot be written, is a link or no plain file.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o644)
    try:
        require_file(descriptor, path)
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def create(path: Path) -> int:
    """Return the descriptor of a new file under a name of ours; what has the name is removed first, if it is a file.

    Raises:
        OSError: it cannot be made.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o644)
    except FileExistsError:  # left by a killed writer; or a link that somebody planted, which goes, not its target
        os.unlink(path)
        return os.open(path, flags, 0o644)
