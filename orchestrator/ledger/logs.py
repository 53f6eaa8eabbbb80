"""What a failure left to read: `logs/<bundle_id>.log`, the tracebacks and the last lines of the processes concerned.

Rows keep the kind and the traceback of a failure; here is what no row has room for, and the end of a process that died
and was replaced, of which no row tells. A bundle in which nothing went wrong has no file. A file is an appendix: plain
text, bounded, and nothing is computed from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.ledger import files, plain_files

__all__ = ["Entry", "Logs", "add", "bounded", "entries"]

MOST_BYTES = 256 * 1024
"""Of a file; the oldest entries go first, and of a single one its middle."""

MOST_FILES = 200
"""The oldest go first."""

_HEADING = re.compile(r"=== (?P<at>\S+) \| (?P<what>.*) \| (?P<members>[0-9a-f ]+)")
_CUT = "\n[... {} characters left out ...]\n"


@dataclass(frozen=True)
class Entry:
    """One failure of a bundle."""

    file: str
    at: str
    what: str
    text: str


class Logs:
    """The logs of a results folder.

    Args:
        results: the results folder.
        require_lock: raises LedgerError unless this process may write to the folder.
    """

    def __init__(self, results: Path, require_lock: Callable[[], None]) -> None:
        self._results, self._require_lock = results, require_lock

    def add(self, bundle_id: str, what: str, members: Sequence[str], text: str) -> None:
        """Add an entry to a bundle's log; see the function `add`."""
        self._require_lock()
        add(self._results, bundle_id, what, members, text)

    def of(self, trial_id: str) -> list[Entry]:
        """Return what failures of bundles left to read that concern a trial, the oldest first."""
        return entries(self._results, trial_id)


def bounded(text: str, most: int) -> str:
    """Return a text of at most about `most` characters: how it begins and, three times as much, how it ends."""
    if len(text) <= most:
        return text
    head, tail = most // 4, most - most // 4
    return text[:head] + _CUT.format(len(text) - head - tail) + text[-tail:]


def add(results: Path, bundle_id: str, what: str, members: Sequence[str], text: str) -> None:
    """Add an entry to a bundle's log; durable on return.

    Args:
        results: the results folder.
        bundle_id: the bundle.
        what: the failure in a few words.
        members: trial_ids that it concerns.
        text: what there is to read.
    """
    at = datetime.now(UTC).isoformat(timespec="seconds")
    body = re.sub("(?m)^===", " ===", "\n".join(text.rstrip().splitlines()))
    entry = f"=== {at} | {' '.join(what.split())} | {' '.join(members)}\n{body}\n"
    room = MOST_BYTES // 2  # so that two entries at least fit
    if len(entry.encode()) > room:
        heading, _, body = entry.partition("\n")
        entry = f"{heading}\n{bounded(body, room // 4)}\n"  # a character takes up to four bytes
    path = plain_files.inside(results, "logs", f"{bundle_id}.log")
    with files.os_errors(f"the log of bundle {bundle_id} cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        earlier = _split(_text(path)) if plain_files.kind_of(path) == "a file" else []
        while earlier and len("".join([*earlier, entry]).encode()) > MOST_BYTES:
            del earlier[0]
        files.write_durably(path, "".join([*earlier, entry]).encode())
        _forget_oldest(path.parent)


def entries(results: Path, trial_id: str) -> list[Entry]:
    """Return what the logs say of one trial, the oldest first."""
    found = []
    with files.os_errors("the logs cannot be read"):
        for path in _paths(plain_files.inside(results, "logs")):
            for entry in _split(_text(path)):
                heading, _, body = entry.partition("\n")
                match = _HEADING.fullmatch(heading)
                if match is not None and trial_id in match["members"].split():
                    file = path.relative_to(results).as_posix()
                    found.append(Entry(file, match["at"], match["what"], body.rstrip("\n")))
    return sorted(found, key=lambda entry: entry.at)


def _paths(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.log")) if plain_files.kind_of(path) == "a file"]


def _text(path: Path) -> str:
    return plain_files.read(path).decode(errors="replace")


def _split(content: str) -> list[str]:
    return list(filter(None, re.split(r"(?m)^(?==== )", content)))


def _forget_oldest(folder: Path) -> None:
    there = sorted(folder.glob("*.log"), key=lambda path: path.lstat().st_mtime_ns)
    for path in there[:-MOST_FILES]:
        files.discard(path)
