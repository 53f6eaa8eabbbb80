"""Whether a page that is there is one of ours, made of these rows by this code: a stamp beside it, signed with a key.

Whoever sends a results folder can write any page, and beside it what a stamp says; not the signature. The key lies in
the user's own data folder, readable by nobody else. Without the key a page is made again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator import discovery
from orchestrator.ledger import plain_files

__all__ = ["code_of_analysis", "is_current", "write"]

KEY_BYTES = 32


def code_of_analysis() -> str:
    """Return the digest of the code that makes tables, figures and sentences: new code makes them again."""
    found = hashlib.blake2b(digest_size=10)
    for package in ("analysis", "orchestrator.inference"):
        for path in sorted(Path(discovery.find_package(package)).rglob("*")):
            if path.suffix in (".py", ".html", ".css", ".js", ".csv", ".json"):
                found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


def write(path: Path, facts: Mapping[str, Any], files: Sequence[Path]) -> None:
    """Write a stamp for files that were just made.

    Args:
        path: of the stamp; the files lie beside it or below.
        facts: what they were made from.
        files: the files.
    """
    content = {**facts, "files": {str(one.relative_to(path.parent)): _digest(one) for one in sorted(files)}}
    key = _key(make=True)
    if key:
        text = json.dumps({**content, "signature": _signature(key, content)}, indent=1)
        path.write_text(text, encoding="utf-8")


def is_current(path: Path, facts: Mapping[str, Any], wanted: Sequence[str] = ()) -> bool:
    """Return whether a stamp of ours says that these facts made the files, and they are as they were made.

    Args:
        path: of the stamp.
        facts: what the files are to be made from.
        wanted: names that must be among the files.
    """
    key = _key(make=False)
    try:
        known = plain_files.parsed(plain_files.read(path, plain_files.MOST_JSON_BYTES))
        signature = str(known.pop("signature"))
        if not key or not hmac.compare_digest(signature.encode(), _signature(key, known).encode()):
            return False
        made = dict(known.pop("files"))
        whole = all(_digest(path.parent / name) == digest for name, digest in made.items())
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return False
    return whole and known == json.loads(json.dumps(facts)) and made.keys() >= set(wanted)


def _digest(path: Path) -> str:
    return hashlib.blake2b(plain_files.read(path), digest_size=16).hexdigest()


def _signature(key: bytes, content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), key=key, digest_size=32).hexdigest()


def _key(*, make: bool) -> bytes:
    """Return the user's key; empty: there is none, or (with `make`) none can be kept."""
    path = discovery.data_folder() / "reports.key"
    try:
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_key(path)
        about = os.stat(path)
        key = plain_files.read(path, KEY_BYTES)
    except OSError:
        return b""
    private = about.st_uid == os.getuid() and not about.st_mode & 0o077
    return key if private and len(key) == KEY_BYTES else b""


def _write_key(path: Path) -> None:
    """Write a new key under another name first: two processes that make one at once end up with one."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
    try:
        os.link(unfinished, path)  # fails if somebody else was first
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
