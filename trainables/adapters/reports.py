"""What a command says of itself: JSON objects, one a line, that become the rows of its trial."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import DataError, shown

__all__ = ["Growing", "Reported", "numbers_in", "whole_file"]

EPOCH = "epoch"

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+ /-]{0,99}")
"""Names of numbers; others are left out."""

LONGEST_LINE = 2**20


class Growing:
    """A file that is still written to, read line by line.

    Args:
        path: it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at, self._rest = 0, b""

    def news(self, *, ended: bool = False) -> Iterator[Mapping[str, Any]]:
        """Yield the JSON objects on lines that were finished since the last call; `ended`: the last line is whole."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._at)
                news = file.read()
        except OSError:  # it is not there, or no file: nothing was said in it
            return
        self._at += len(news)
        *lines, self._rest = (self._rest + news).replace(b"\r", b"\n").split(b"\n")
        if ended or len(self._rest) > LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            found = _object(line)
            if found is not None:
                yield found


def _object(line: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object on a line; None: there is none."""
    text = line.strip()
    if not text.startswith(b"{") or len(text) > LONGEST_LINE:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def whole_file(path: Path) -> list[Mapping[str, Any]]:
    """Return the objects of a file of metrics: JSON lines, or one JSON document: an object, or a list of them.

    Raises:
        DataError: it holds something else.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"metrics file {str(path)!r} cannot be read: {error.strerror}") from None
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        lines = [line for line in content.splitlines() if line.strip()]
        objects = [_object(line) for line in lines]
        found = objects if objects and all(one is not None for one in objects) else None
    parts = found if isinstance(found, list) else [found]
    if not all(isinstance(part, dict) for part in parts):
        raise DataError(f"metrics file {str(path)!r} holds {shown(content[:80])}; it is JSON lines, or one JSON object")
    return parts


def numbers_in(said: Mapping[str, Any], ignored: Collection[str], only: Collection[str] | None) -> dict[str, float]:
    """Return the numbers that a JSON object holds, by name; a bool is 0 or 1, and what is no number is left out.

    Args:
        said: the object.
        ignored: names that are none of metrics: knobs, the seed.
        only: names that count; None: all.
    """
    found = {}
    for name, value in said.items():
        if name == EPOCH or name in ignored or not NAME.fullmatch(name):
            continue
        if only is not None and name not in only and not name.startswith("diagnostic."):
            continue
        if isinstance(value, bool | int | float):
            found[name] = _float(value)
    return found


def _float(value: float) -> float:
    """Return a number of JSON; a whole one that no float holds is infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


class Reported:
    """The rows of a trial, as they are said.

    An object with `epoch` is of that epoch; one without counts one further than the one before, up to the last; what
    comes after that completes the last one. Of a name that is said twice of an epoch, the later value counts.

    Args:
        n_epochs: of the trial.
        first_epoch: the number of the first one; None: 0 if that is said first, else 1.
    """

    def __init__(self, n_epochs: int, first_epoch: int | None = None) -> None:
        self.n_epochs, self.first_epoch = n_epochs, first_epoch
        self.rows: dict[int, dict[str, float]] = {}
        """Epoch, from 1 -> what was said of it."""
        self._latest = 0

    def recall(self, first_epoch: int | None, epoch: int, numbers: Mapping[str, float]) -> None:
        """Take what was said before the program was started again; it counts up to where that goes on."""
        self.first_epoch = first_epoch
        self.rows.setdefault(epoch, {}).update(numbers)

    def take(self, said: Mapping[str, Any], numbers: Mapping[str, float]) -> int:
        """Take an object, and the numbers in it; return its epoch, from 1; 0: it is of before the first one.

        Raises:
            DataError: its epoch is none of the trial's.
        """
        epoch = said.get(EPOCH)
        if epoch is None:
            epoch = min(self._latest + 1, self.n_epochs)
        elif isinstance(epoch, bool) or not isinstance(epoch, int | float) or epoch % 1 != 0:
            raise DataError(f"it reports of epoch {shown(epoch)}; an epoch is a whole number")
        else:
            epoch = self._counted(int(epoch))
        if not epoch:
            return 0
        if not self._latest:  # whatever is known from before of it and of later ones is said again
            self.rows = {known: row for known, row in self.rows.items() if known < epoch}
        self._latest = epoch
        self.rows.setdefault(epoch, {}).update(numbers)
        return int(epoch)

    def is_whole(self, epoch: int) -> bool:
        """Return whether nothing more can be said of an epoch, as long as they come in order."""
        return self._latest > epoch

    def last(self) -> dict[str, float]:
        """Return the latest value of every number."""
        found: dict[str, float] = {}
        for epoch in sorted(self.rows):
            found |= self.rows[epoch]
        return found

    def _counted(self, said: int) -> int:
        """Return an epoch counted from 1."""
        if self.first_epoch is None:
            self.first_epoch = 0 if said == 0 else 1
        epoch = said + 1 - self.first_epoch
        if not 0 <= epoch <= self.n_epochs:
            raise DataError(
                f"it reports of epoch {said}; this trial has {self.n_epochs} (n_epochs), counted from "
                f"{self.first_epoch} (first_epoch)"
            )
        return epoch
