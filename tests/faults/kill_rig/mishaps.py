"""What goes wrong with a machine while a study runs, other than a kill: each mishap, then the same command again.

A mishap is a method of `Mishaps`; it takes a fresh results folder and a file for what the run says, does its harm, and
leaves the folder so that the command can go on. After it nothing complete may be lost, nothing trained twice, and the
study ends with the rows and the verdict of a quiet run. A further mishap is one more method, named in `KINDS`.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from kill_rig.drivers import PATIENCE, Forked, argv, ended, is_gone, kill_family
from kill_rig.histories import VICTIMS, Histories, trains
from kill_rig.views import View, require_sound

from orchestrator.ledger import Ledger

KINDS = (
    "stopped",
    "worker_stopped",
    "removed",
    "full",
    "read_only",
    "copied",
    "in_pieces",
    "clock_back",
    "compaction_killed",
    "two_at_once",
    "few_descriptors",
    "little_memory",
    "temporary_full",
)

REFUSALS = (1, 2)
"""Exit statuses of a run that ends in one line."""


class Mishaps:
    """Mishaps of drivers, inline or with a Ray of their own.

    Args:
        histories: the rig after its quiet run.
        seed: of the moments.
        pause: seconds for which a process is stopped.
    """

    def __init__(self, histories: Histories, seed: int = 0, pause: float = 60.0) -> None:
        self.histories, self.pause = histories, pause
        self.monkey = random.Random(f"{seed} mishaps {histories.tally.total}")

    def many(self, number: int) -> None:
        """Let some mishaps happen, each kind in turn; every second one is two drivers at one instant."""
        kinds = [kind for kind in KINDS if kind != "two_at_once"]
        for _ in range(number):
            before = self.histories.tally.total
            self.happen(kinds[before // 2 % len(kinds)] if before % 2 else "two_at_once")

    def happen(self, kind: str) -> None:
        """Let one mishap happen in a fresh folder, go on, and compare."""
        with self.histories.history() as (results, out):
            complete = getattr(self, kind)(results, out) or set()
            complete |= require_sound(results, self.histories.quiet, complete)
            self.go_on(results, out)
            require_sound(results, self.histories.quiet, complete)
            self.histories.require_equal(results, out)
        self.histories.tally.count(kind)

    def go_on(self, results: Path, out: Path) -> None:
        """Run the command until its end."""
        driver = self.start(results, out, 0.0)
        assert ended(driver) == 0, out.read_text()[-3000:]

    def start(self, results: Path, out: Path, nap: float = 0.01, **options: object) -> Forked:
        """Start the command."""
        arguments = argv(results, "inline")
        return self.histories.zygote.start(arguments, out, nap, answers=self.histories.answers, **options)

    def stopped(self, results: Path, out: Path) -> None:
        """Stop the driver with SIGSTOP, continue it later."""
        driver = self.start(results, out)
        self.wait(driver)
        driver.send(signal.SIGSTOP)
        time.sleep(self.pause)
        driver.send(signal.SIGCONT)
        assert ended(driver) == 0, out.read_text()[-3000:]

    def worker_stopped(self, results: Path, out: Path) -> None:
        """Stop a worker of a run through Ray with SIGSTOP, continue it later."""
        driver = self.histories.with_ray(argv(results, "local", "--max-concurrent", "1"), out, 0.08)
        try:
            if trains(driver, results):
                for process in driver.named(VICTIMS["worker"])[:1]:
                    with contextlib.suppress(psutil.Error):
                        process.suspend()
                        time.sleep(self.pause)
                        process.resume()
            assert ended(driver) == 0, out.read_text()[-3000:]
            assert "Traceback" not in out.read_text(), out.read_text()[-3000:]
            assert is_gone(driver), [process.cmdline() for process in driver.family()]
        finally:
            kill_family(driver)

    def removed(self, results: Path, out: Path) -> None:
        """Remove the results folder under the run."""
        driver = self.start(results, out)
        self.wait(driver)
        with contextlib.suppress(OSError):
            shutil.rmtree(results)
        self.ends(driver, out)
        shutil.rmtree(results, ignore_errors=True)

    def full(self, results: Path, out: Path) -> set[str]:
        """Let the file system of the results folder fill up."""
        with mounted(results, f"size={self.monkey.randrange(24, 160, 4)}k"):
            self.ends(self.start(results, out), out)
            complete = require_sound(results, self.histories.quiet, set())
            _keep(results)
        _take_back(results)
        return complete

    def read_only(self, results: Path, out: Path) -> set[str]:
        """Let the file system of the results folder be made read-only."""
        with mounted(results, "size=64m"):
            driver = self.start(results, out)
            self.wait(driver)
            done = driver.poll() is not None
            while (
                not done
                and subprocess.run(
                    ["mount", "-o", "remount,ro", str(results)], capture_output=True, check=False
                ).returncode
            ):
                time.sleep(0.01)  # a file is open for writing just now
                done = driver.poll() is not None
            self.ends(driver, out)
            complete = require_sound(results, self.histories.quiet, set())
            subprocess.run(["mount", "-o", "remount,rw", str(results)], check=True)
            _keep(results)
        _take_back(results)
        return complete

    def copied(self, results: Path, out: Path) -> None:
        """Copy the folder of a run under way, go on in the copy and here, and put the copy into this one."""
        driver = self.start(results, out)
        self.wait(driver)
        copy = results.with_name("copy")
        _copy(results, copy, list(_files(results)))
        elsewhere = results.with_name("copy.txt")
        assert ended(driver) == 0, out.read_text()[-3000:]
        self.go_on(copy, elsewhere)
        View.of(copy).require_equal(View.of(results))
        with Ledger(results, writable=True) as ledger:
            ledger.merge(copy)

    def in_pieces(self, results: Path, out: Path) -> set[str]:
        """Let the files of a results folder arrive in any order, as they do with rsync; read between any two."""
        driver = self.start(results, out)
        self.wait(driver)
        driver.send(signal.SIGKILL)
        ended(driver)
        complete = require_sound(results, self.histories.quiet, set())
        there = results.with_name("there")
        results.rename(there)
        files = list(_files(there))
        self.monkey.shuffle(files)
        for place in range(len(files)):
            _copy(there, results, files[place : place + 1])
            Ledger(results).trials()
            Ledger(results).doctor.problems()
        return complete

    def clock_back(self, results: Path, out: Path) -> set[str]:
        """Set the clock back by an hour between two runs, of which the first is killed."""
        driver = self.start(results, out)
        self.wait(driver)
        driver.send(signal.SIGKILL)
        ended(driver)
        complete = require_sound(results, self.histories.quiet, set())
        again = self.start(results, out, clock=-3600.0)
        assert ended(again) == 0, out.read_text()[-3000:]
        return complete

    def compaction_killed(self, results: Path, out: Path) -> None:
        """Kill the driver before some step on the disk of the compaction that ends its run."""
        driver = self.start(results, out, 0.0, compaction_steps=self.monkey.randrange(16))
        assert ended(driver) in (0, -signal.SIGKILL), out.read_text()[-3000:]

    def two_at_once(self, results: Path, out: Path) -> None:
        """Start two drivers at one instant: one trains, the other leaves, or finds that nothing is left to do."""
        others = out.with_name("other.txt")
        two = [self.start(results, out, 0.0), self.start(results, others, 0.0)]
        status = sorted(ended(driver) for driver in two)
        said = out.read_text() + others.read_text()
        assert status in ([0, 0], [0, 2]), said[-3000:]
        assert "Traceback" not in said, said[-3000:]
        assert status == [0, 0] or "is in use by" in said, said[-3000:]

    def few_descriptors(self, results: Path, out: Path) -> None:
        """Allow 64 open files."""
        self.ends(self.start(results, out, 0.0, limits={"NOFILE": 64}), out)

    def little_memory(self, results: Path, out: Path) -> None:
        """Allow little more address space than the driver has when it begins."""
        more = self.monkey.randrange(1, 64) * 2**20
        self.ends(self.start(results, out, 0.0, limits={"AS_MORE": more}), out)

    def temporary_full(self, results: Path, out: Path) -> None:
        """Let the folder for temporary files be full."""
        place = results.with_name("tmp")
        with mounted(place, "size=4k"):
            with contextlib.suppress(OSError), (place / "filler").open("wb") as file:
                file.write(bytes(2**16))
            self.ends(self.start(results, out, 0.0, environment={"TMPDIR": str(place)}), out)

    def wait(self, driver: Forked) -> None:
        """Wait for a random while of training, or until the run is over."""
        deadline = time.monotonic() + 0.3 + self.monkey.random() * 1.5
        while time.monotonic() < deadline and driver.poll() is None:
            time.sleep(0.01)

    def ends(self, driver: Forked, out: Path) -> None:
        """Assert that a run ends in order, or in one line."""
        try:
            status = ended(driver, PATIENCE)
        finally:
            kill_family(driver)
        said = out.read_text()
        assert "Traceback" not in said, said[-3000:]
        assert status in (0, *REFUSALS), said[-3000:]
        lines = [line for line in said.splitlines() if line.startswith("orchestrate: ")]
        assert status == 0 or len(lines) == 1, said[-3000:]


@contextlib.contextmanager
def mounted(place: Path, options: str) -> Iterator[None]:
    """Mount a file system in memory on a folder (as root)."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def can_mount() -> bool:
    """Return whether this process may mount."""
    return (
        os.geteuid() == 0 and not subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode
    )


def _keep(results: Path) -> None:
    shutil.copytree(results, results.with_name("kept"), symlinks=True)


def _take_back(results: Path) -> None:
    shutil.rmtree(results)
    results.with_name("kept").rename(results)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder by name, as a copy walks over them, without those that are being written."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder)


def _copy(here: Path, there: Path, files: list[Path]) -> None:
    for file in files:
        with contextlib.suppress(FileNotFoundError):  # the run has deleted it meanwhile
            (there / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(here / file, there / file)
