"""Commands that a worker runs, by way of a launcher: started, waited for, ended; see `launcher`."""

from __future__ import annotations

import itertools
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Command", "End", "Processes", "processes"]

LAUNCHER = Path(__file__).with_name("launcher.py")

GRACE_SECONDS = 5.0
"""How long a command may take to leave after SIGTERM."""

LAUNCH_SECONDS = 30.0
"""How long the launcher may take to answer: it does nothing that takes time."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """What is to be run."""

    words: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    base: Path
    """A folder of its own, for its two streams; deleted if this process dies."""
    memory_bytes: int | None = None

    @property
    def stdout(self) -> Path:
        """Where it prints."""
        return self.base / "stdout"

    @property
    def stderr(self) -> Path:
        """Where it complains."""
        return self.base / "stderr"


@dataclass(frozen=True)
class End:
    """How a command ended."""

    status: int
    """Exit status; -1: a signal ended it."""
    signal: int
    """0: none."""
    peak_bytes: int
    """Of its largest process."""


class Processes:
    """The commands of this process, and the launcher that runs them.

    Raises:
        OSError: the launcher cannot be started, or has died.
    """

    def __init__(self) -> None:
        self.owner = os.getpid()
        """A fork of a process is another one."""
        starter = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert starter.stdin is not None and starter.stdout is not None
        self._requests, self._answers = starter.stdin, starter.stdout
        starter.wait()  # it has left a child of its own
        self._numbers = itertools.count(1)
        self._ends: dict[int, End] = {}
        self._started: dict[int, dict[str, Any]] = {}
        self._waiting = b""
        self.broken = False

    def start(self, command: Command) -> int:
        """Start a command and return its number.

        Raises:
            OSError: it cannot be started: there is no such program, or no such folder.
        """
        number = next(self._numbers)
        request = {
            "number": number,
            "words": list(command.words),
            "folder": str(command.folder),
            "environment": dict(command.environment),
            "stdout": str(command.stdout),
            "stderr": str(command.stderr),
            "memory": command.memory_bytes,
            "base": str(command.base),
        }
        self._ask(request)
        deadline = time.monotonic() + LAUNCH_SECONDS
        while number not in self._started:
            self._hear(max(0.0, deadline - time.monotonic()))
            if time.monotonic() > deadline:
                raise OSError("the launcher of commands gives no answer")
        answer = self._started.pop(number)
        if "error" in answer:
            raise FileNotFoundError(answer["error"])
        return number

    def wait(self, number: int, seconds: float) -> End | None:
        """Return how a command ended, if it does within so many seconds.

        Raises:
            OSError: the launcher has died, and the command with it.
        """
        if number not in self._ends:
            self._hear(seconds)
        return self._ends.get(number)

    def end(self, number: int, grace: float = GRACE_SECONDS) -> None:
        """End a command and its group, and return when it is gone; one that has ended is none to end.

        Args:
            number: of the command.
            grace: seconds from SIGTERM to SIGKILL.
        """
        try:
            if number not in self._ends:
                self._ask({"end": number, "grace": grace})
            deadline = time.monotonic() + grace + LAUNCH_SECONDS
            while number not in self._ends and time.monotonic() < deadline:
                self._hear(deadline - time.monotonic())
        except OSError:
            return  # its launcher took it along
        self._ends.pop(number, None)

    def _ask(self, request: Mapping[str, Any]) -> None:
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
        except OSError:
            self.broken = True
            raise

    def _hear(self, seconds: float) -> None:
        readable, _, _ = select.select([self._answers], [], [], seconds)
        if not readable:
            return
        news = os.read(self._answers.fileno(), 1 << 16)
        if not news:
            self.broken = True
            raise OSError("the launcher of commands was killed")
        *lines, self._waiting = (self._waiting + news).split(b"\n")
        for answer in map(json.loads, lines):
            if "status" in answer:
                self._ends[answer["number"]] = End(answer["status"], answer["signal"], answer["peak_bytes"])
            else:
                self._started[answer["number"]] = answer


_processes: list[Processes] = []


def processes() -> Processes:
    """Return this process's commands; the launcher starts with the first of them."""
    if not _processes or _processes[0].broken or _processes[0].owner != os.getpid():
        _processes[:] = [Processes()]
    return _processes[0]
