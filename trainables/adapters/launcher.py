"""Starts the commands of one worker and outlives it: what it started ends when the worker is gone, however that died.

Run as a script; imports nothing of the project. It reads requests as JSON lines, {"number", "words", "folder",
"environment", "stdout", "stderr", "memory", "base"} or {"end": number, "grace"}, and says {"number", "started": pid},
{"number", "error"} or {"number", "status", "signal", "peak_bytes"}. Each command is a session of its own. When the
command has ended, so does what it left behind in its group, and `base` is the caller's to delete; when the caller has
died, all of them get SIGTERM, then SIGKILL, and their `base` folders are deleted.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

SET_DEATH_SIGNAL, SET_CHILD_SUBREAPER = 1, 36
"""Numbers of prctl(2), which only Linux has."""

GRACE_SECONDS = 5.0
"""How long a command may take to leave after SIGTERM, once the worker is gone."""

IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

NAP_SECONDS = 0.05


class Launcher:
    """The commands under way, and who asked for them."""

    def __init__(self, requests: int, answers: int) -> None:
        self.requests, self.answers = requests, answers
        self.numbers: dict[int, int] = {}
        """pid of a command -> its number."""
        self.bases: dict[int, str] = {}
        self.killed_at: dict[int, float] = {}
        """pid -> when it gets SIGKILL."""
        self.wakes, wake = os.pipe()
        for descriptor in (self.wakes, wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in IGNORED:
            signal.signal(number, signal.SIG_IGN)  # it goes when the worker does

    def serve(self) -> None:
        """Do what is asked until nobody is there to ask."""
        waiting = b""
        while True:
            readable, _, _ = select.select([self.requests, self.wakes], [], [], self._patience())
            if self.wakes in readable:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.wakes, 4096)
            self._look()
            if self.requests in readable:
                news = os.read(self.requests, 1 << 16)
                if not news:
                    break
                *lines, waiting = (waiting + news).split(b"\n")
                for line in lines:
                    self._do(json.loads(line))
        self._leave()

    def _patience(self) -> float | None:
        if not self.killed_at:
            return None
        return max(0.0, min(self.killed_at.values()) - time.monotonic())

    def _do(self, request: dict[str, Any]) -> None:
        if "end" in request:
            self._end(request["end"], request["grace"])
            return
        number = request["number"]
        try:
            pid = self._start(request)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._say(number=number, error=f"{type(error).__name__}: {error}")
            return
        self.numbers[pid], self.bases[pid] = number, request["base"]
        self._say(number=number, started=pid)

    def _end(self, number: int, grace: float) -> None:
        asked = [pid for pid, known in self.numbers.items() if known == number]
        if not asked:  # it has ended, and the news of it may have been missed
            self._say(number=number, status=-1, signal=0, peak_bytes=0)
        for pid in asked:
            if pid not in self.killed_at:
                self._signal(pid, signal.SIGTERM)
                self.killed_at[pid] = time.monotonic() + grace

    @staticmethod
    def _start(request: dict[str, Any]) -> int:
        memory = request["memory"]

        def prepare() -> None:
            prctl(SET_DEATH_SIGNAL, signal.SIGKILL)
            for number in IGNORED:
                signal.signal(number, signal.SIG_DFL)  # what this process ignores its children would too
            if memory:
                resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))

        with open(request["stdout"], "ab") as out, open(request["stderr"], "ab") as err:
            process = subprocess.Popen(
                request["words"],
                cwd=request["folder"],
                env=request["environment"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=prepare,  # noqa: PLW1509  this process has one thread
            )
        # Whoever forgets a Popen has its end taken, now or at the next start, and nobody would be told: it is waited
        # for by its number, here alone.
        process.returncode = 0
        return process.pid

    def _look(self) -> None:
        """Take what has ended; kill what had its time."""
        while (ended := _any_ended()) is not None:
            if ended in self.numbers:
                self._signal(ended, signal.SIGKILL)  # what it left behind, before its number can be another's
                self._ended(ended)
            else:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(ended, 0)
        for pid, when in list(self.killed_at.items()):
            if time.monotonic() >= when:
                self._signal(pid, signal.SIGKILL)
                self.killed_at[pid] = time.monotonic() + GRACE_SECONDS

    def _ended(self, pid: int) -> None:
        _, status, usage = os.wait4(pid, 0)
        number = self.numbers.pop(pid)
        self.bases.pop(pid)
        self.killed_at.pop(pid, None)
        if not self.numbers:
            _kill_orphans()
        by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
        self._say(number=number, status=code, signal=by, peak_bytes=usage.ru_maxrss * 1024)

    def _leave(self) -> None:
        bases = list(self.bases.values())
        for pid in self.numbers:
            self._signal(pid, signal.SIGTERM)
            self.killed_at[pid] = time.monotonic() + GRACE_SECONDS
        while self.numbers:
            self._look()
            time.sleep(NAP_SECONDS)
        _kill_orphans()
        for base in bases:
            shutil.rmtree(base, ignore_errors=True)

    def _say(self, **answer: Any) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more; reading will tell
            os.write(self.answers, json.dumps(answer).encode() + b"\n")

    @staticmethod
    def _signal(pid: int, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)


def _any_ended() -> int | None:
    """Return a child that has ended, still to be waited for; None: none has."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    except ChildProcessError:
        return None
    return None if found is None else found.si_pid


def _kill_orphans() -> None:
    """Kill what left its group and lost its parent: it is this process's child now."""
    with contextlib.suppress(OSError), open(f"/proc/self/task/{os.getpid()}/children") as file:
        for pid in map(int, file.read().split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def prctl(option: int, value: int) -> None:
    """Set what Linux knows of this process; elsewhere there is nothing to set."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def main() -> None:
    """Leave the worker's family, so that nobody who ends it with its children ends this too, and serve."""
    if os.fork():
        os._exit(0)
    prctl(SET_CHILD_SUBREAPER, 1)
    Launcher(sys.stdin.fileno(), sys.stdout.fileno()).serve()


if __name__ == "__main__":
    main()
