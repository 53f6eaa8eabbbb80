"""Standard output belongs to the command alone: what plugins and libraries print goes to standard error.

A plugin that prints when it is imported, in Python or in C, would else stand in the middle of what `--json` promises.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from orchestrator.cli import signals

__all__ = ["OUT", "kept_apart", "say", "say_json"]

STDOUT = 1


class _Own:
    """A stream that writes where standard output was when the command began."""

    def __init__(self) -> None:
        self.kept: TextIO | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kept or sys.stdout, name)


OUT: Any = _Own()
"""For whoever writes the command's own output."""


def say(text: str) -> None:
    """Write a line of the command's own output."""
    print(text, file=OUT)


def say_json(found: Any) -> None:
    """Write JSON as the command's whole output; a number that is none is null, since JSON has no NaN."""
    say(json.dumps(_finite(found), default=str))


@contextlib.contextmanager
def kept_apart() -> Iterator[None]:
    """Have all but the command's own output go to standard error within the block."""
    before, owned = sys.stdout, sys.stdout is sys.__stdout__ and _is_stdout(sys.stdout)
    if owned:
        before.flush()
        kept = os.dup(STDOUT)
        signals.own_output_at(kept)
        OUT.kept = os.fdopen(kept, "w", encoding=before.encoding, errors="backslashreplace", buffering=1)
        os.dup2(sys.stderr.fileno() if _is_open(sys.stderr) else os.open(os.devnull, os.O_WRONLY), STDOUT)
    else:  # a test or another program has put something of its own there
        OUT.kept, sys.stdout = before, sys.stderr
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more
            sys.stdout.flush()
            OUT.kept.flush()
        if owned:
            os.dup2(OUT.kept.fileno(), STDOUT)
            signals.own_output_at(STDOUT)
            with contextlib.suppress(OSError):
                OUT.kept.close()
        sys.stdout, OUT.kept = before, None


def _is_stdout(stream: Any) -> bool:
    try:
        return int(stream.fileno()) == STDOUT
    except (OSError, ValueError, AttributeError):
        return False


def _is_open(stream: Any) -> bool:
    try:
        return int(stream.fileno()) >= 0
    except (OSError, ValueError, AttributeError):
        return False


def _finite(found: Any) -> Any:
    if isinstance(found, float) and not math.isfinite(found):
        return None
    if isinstance(found, Mapping):
        return {name: _finite(value) for name, value in found.items()}
    if isinstance(found, list | tuple):
        return [_finite(value) for value in found]
    return found
