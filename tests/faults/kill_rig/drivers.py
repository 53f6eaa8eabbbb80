"""Starting `orchestrate run` so that it, and whatever it starts, can be found and killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

FAULTS = Path(__file__).parents[1]
ROOT = FAULTS.parents[1]
PLUGIN = FAULTS / "plugin"
STUDY = "walks"
MARK = "FAULTS_MARK"
PATIENCE = 240.0
"""Seconds after which a run that should end is said to hang."""


class Zygote:
    """A process that forks drivers; see zygote.py.

    Args:
        ray: whether it forks drivers that start a Ray of their own, too: that saves them the imports.
    """

    def __init__(self, *, ray: bool = False) -> None:
        self.ray = ray
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        self.process = subprocess.Popen(
            [sys.executable, str(FAULTS / "zygote.py"), *(["ray"] if ray else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            cwd=FAULTS,
        )
        self._heard()

    def start(self, argv: list[str], out: Path, nap: float, **options: Any) -> Forked:
        """Start `orchestrate ARGV` in a session of its own.

        Args:
            argv: the arguments.
            out: file for what it prints.
            nap: seconds that an epoch of a member takes.
            options: `file_size`: no file may grow beyond, as on a full disk; `answers=False`: without the report;
                `host`: the machine that it takes itself to be on.
        """
        return Forked(self, self.ask(argv=argv, out=str(out), nap=nap, **options)["pid"], out)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and return its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._heard()

    def close(self) -> None:
        """End the zygote; drivers that still run are the caller's."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)

    def _heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        assert readable, "the zygote says nothing"
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@dataclass
class Forked:
    """An inline driver that the zygote forked."""

    zygote: Zygote
    pid: int
    out: Path
    status: int | None = None

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        if self.status is None:
            self.status = self.zygote.ask(poll=self.pid)["status"]
        return self.status

    def send(self, number: int) -> None:
        """Send a signal to the driver's whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def family(self) -> list[psutil.Process]:
        """Return the processes of the driver's session that still run."""
        return [p for p in psutil.process_iter() if _session(p.pid) == self.pid and _runs(p)]


class Spawned:
    """A driver with a Ray of its own; everything that it starts inherits a mark in its environment."""

    def __init__(self, argv: list[str], out: Path, nap: float) -> None:
        self.out, self.mark = out, uuid.uuid4().hex
        self.seen: set[psutil.Process] = set()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "WALK_NAP": str(nap), MARK: self.mark}
        code = (
            "from orchestrator.cli import signals, main\n"
            "signals.install()\n"
            "import faulthandler, signal, orchestrator.run.runner as r\n"
            "faulthandler.register(signal.SIGUSR1)\n"
            "r.RunOptions.__init__.__kwdefaults__['checkpoint_seconds'] = 0.05\n"
            "main()"
        )
        with out.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, *argv],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=environment,
                start_new_session=True,
            )
        self.pid = self.process.pid

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self.process.poll()

    def send(self, number: int) -> None:
        """Send a signal to the driver alone."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def family(self) -> list[psutil.Process]:
        """Return every process of the run that still runs, those that were seen earlier and lost their parent too.

        The mark does not find all: a process that sets its title overwrites the environment that /proc shows.
        """
        wanted = f"{MARK}={self.mark}".encode()
        for process in psutil.process_iter():
            with contextlib.suppress(OSError, psutil.Error):
                if wanted in Path(f"/proc/{process.pid}/environ").read_bytes():
                    self.seen |= {process, *process.children(recursive=True)}
        return [process for process in self.seen if process.is_running() and _runs(process)]

    def named(self, pattern: str) -> list[psutil.Process]:
        """Return the processes of the family whose command line matches."""
        found = []
        for process in self.family():
            with contextlib.suppress(psutil.Error):
                if process.pid != self.pid and re.search(pattern, " ".join(process.cmdline())):
                    found.append(process)
        return found


class ForkedWithRay(Spawned):
    """The same, forked by a zygote."""

    def __init__(self, zygote: Zygote, argv: list[str], out: Path, nap: float) -> None:
        self.out, self.mark, self.zygote = out, uuid.uuid4().hex, zygote
        asked = {"argv": argv, "out": str(out), "nap": nap, "slower": 2.5, "environment": {MARK: self.mark}}
        self.pid = zygote.ask(**asked)["pid"]
        self.status: int | None = None
        self.seen = {psutil.Process(self.pid)}

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        if self.status is None:
            self.status = self.zygote.ask(poll=self.pid)["status"]
        return self.status

    def send(self, number: int) -> None:
        """Send a signal to the driver alone."""
        if self.poll() is None:
            os.kill(self.pid, number)


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def argv(results: Path, address: str, *more: str) -> list[str]:
    """Return the arguments of the run that is killed."""
    where = ["--results", str(results), "--plugin", str(PLUGIN), "--address", address]
    return ["run", STUDY, *where, "--no-notebook", "--json", *more]


def ended(driver: Forked | Spawned, patience: float = PATIENCE) -> int:
    """Wait until a driver has ended and return its exit status; one that hangs is killed, and an error."""
    deadline = time.monotonic() + patience
    while (status := driver.poll()) is None:
        if time.monotonic() > deadline:
            driver.send(signal.SIGUSR1)  # it says where it is
            time.sleep(1.0)
            kill_family(driver)
            raise AssertionError(f"the driver hangs; it said: {driver.out.read_text()[-8000:]}")
        time.sleep(0.02)
    return status


def kill_family(driver: Forked | Spawned) -> None:
    """Kill all that a driver started, and it."""
    for process in driver.family():
        with contextlib.suppress(psutil.Error):
            process.kill()
    driver.send(signal.SIGKILL)
    if driver.poll() is None:
        ended(driver, 30)


def is_gone(driver: Forked | Spawned, patience: float = 45.0) -> bool:
    """Return whether no process of the driver's is left, or only for `patience` seconds."""
    deadline = time.monotonic() + patience
    while driver.family():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
