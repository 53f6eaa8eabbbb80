"""Digests of files' contents; a large one is read once, as long as it stays as it is."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from orchestrator.machine.private_cache import PrivateCache

__all__ = ["content_digest"]

_CACHE = PrivateCache("contents")

LARGE = 2**20
"""A smaller file is read sooner than what is known of it."""

CLOCK_SECONDS = 2.0
"""Some file systems count whole seconds: a file that has just changed may change again unseen."""


def content_digest(path: Path) -> str:
    """Return the digest of a file's bytes, or of all files in a folder with their names (20 hex digits).

    Raises:
        OSError: it cannot be read.
    """
    if path.is_dir():
        content = hashlib.blake2b(digest_size=10)
        for file in sorted(path.rglob("*")):
            if file.is_file():
                content.update(f"{file.relative_to(path)}:{_of_file(file)};".encode())
        return content.hexdigest()
    return _of_file(path)


def _of_file(path: Path) -> str:
    about = path.stat()
    if about.st_size < LARGE:
        return hashlib.blake2b(path.read_bytes(), digest_size=10).hexdigest()
    key = f"{path.resolve()} {about.st_size} {about.st_mtime_ns} {about.st_ino}"
    known = _CACHE.read(key)
    if isinstance(known, str):
        return known
    content = hashlib.blake2b(digest_size=10)
    with path.open("rb") as file:
        while block := file.read(2**20):
            content.update(block)
    after = path.stat()
    found = content.hexdigest()
    is_old = max(about.st_mtime, about.st_ctime) < time.time() - CLOCK_SECONDS
    if is_old and (after.st_size, after.st_mtime_ns) == (about.st_size, about.st_mtime_ns):
        _CACHE.write(key, found)
    return found
