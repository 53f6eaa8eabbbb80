"""Histories: one study in a fresh folder, its runs killed at random moments until one of them ends by itself."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from kill_rig.drivers import PATIENCE, Forked, ForkedWithRay, Spawned, Zygote, argv, ended, is_gone, kill_family
from kill_rig.views import View, require_sound

from orchestrator.ledger import Ledger


@dataclass
class Tally:
    """What was killed, and how often; kept on disk, so that the long form can go on."""

    seed: int
    part: str = ""
    kills: dict[str, int] = field(default_factory=dict)
    resumable: int = 0
    """Kills that left the checkpoint of a bundle under way."""
    histories: int = 0
    longest_behind: float = 0.0
    """Seconds until the last process of a killed run through Ray was gone."""
    seconds: float = 0.0

    def count(self, victim: str) -> None:
        """Count a kill."""
        self.kills[victim] = self.kills.get(victim, 0) + 1

    @property
    def total(self) -> int:
        """All kills."""
        return sum(self.kills.values())

    @property
    def enders(self) -> int:
        """Kills that end a run through Ray."""
        return sum(self.kills.get(victim, 0) for victim in ("driver", "raylet", "group"))


VICTIMS = {"worker": r"^ray::(?!IDLE|Dashboard|Runtime)", "raylet": r"/raylet/raylet ", "group": ".", "driver": "."}
"""Victim -> what the command lines of its processes look like."""


class Histories:
    """Runs of one study in fresh folders, each killed at random moments until a run of it ends by itself."""

    def __init__(self, folder: Path, zygote: Zygote, tally: Tally, *, answers: bool = True) -> None:
        self.folder, self.zygote, self.tally, self.answers = folder, zygote, tally, answers
        folder.mkdir(parents=True, exist_ok=True)
        self.quiet = self._quiet()

    def inline(self, kills: int, nap: float = 0.004) -> None:
        """Kill inline drivers `kills` times, then let the last history end; compare after each."""
        monkey = random.Random(f"{self.tally.seed} inline {self.tally.total}")
        left = kills
        while left > 0:
            with self.history() as (results, out):
                complete: set[str] = set()
                while True:
                    driver = self.zygote.start(argv(results, "inline"), out, nap, answers=self.answers)
                    if left > 0 and not _ends_within(driver, monkey.random() * 3.0):
                        driver.send(signal.SIGKILL)
                    if ended(driver) == 0:
                        break
                    assert driver.status == -signal.SIGKILL, out.read_text()[-2000:]
                    left -= 1
                    self.tally.count("inline driver")
                    self.tally.resumable += bool(Ledger(results).checkpoints.unfinished())
                    complete = require_sound(results, self.quiet, complete)
                self.require_equal(results, out)

    def ray(self, kills: int, nap: float = 0.08) -> None:
        """Kill drivers, raylets and whole groups of runs through Ray, and workers on the way; compare after each.

        Args:
            kills: how many; those of workers come on top.
            nap: seconds that an epoch of a member takes: long enough for several kills in one history.
        """
        monkey = random.Random(f"{self.tally.seed} ray {self.tally.total}")
        left = kills
        while left > 0:
            with self.history() as (results, out):
                complete: set[str] = set()
                status = -1
                while status != 0:
                    driver = self.with_ray(argv(results, "local", "--max-concurrent", monkey.choice("112")), out, nap)
                    try:
                        left -= left > 0 and self._haunt(driver, results, monkey)
                        status = ended(driver)
                        said = out.read_text()
                        assert "Traceback" not in said, said[-3000:]
                        began = time.monotonic()
                        assert is_gone(driver), [process.cmdline() for process in driver.family()]
                        self.tally.longest_behind = max(self.tally.longest_behind, time.monotonic() - began)
                    finally:
                        kill_family(driver)
                    self.tally.resumable += bool(Ledger(results).checkpoints.unfinished())
                    complete = require_sound(results, self.quiet, complete)
                self.require_equal(results, out)

    def _haunt(self, driver: Spawned, results: Path, monkey: random.Random) -> bool:
        """Kill parts of one run through Ray until that kills it, or it is done; return whether it was killed.

        Of workers at most two: at the third one a bundle may be given up, which a later run tries again.
        """
        workers = 0
        while trains(driver, results):
            if _ends_within(driver, monkey.random() ** 2 * 4.0):
                break
            victims = ["worker", "worker", "driver", "group", "raylet"]
            victim = monkey.choice(victims if workers < 2 else victims[2:])
            workers += victim == "worker"
            if _strike(driver, victim):
                self.tally.count(victim)
                if victim != "worker":
                    return True
        return False

    def with_ray(self, arguments: list[str], out: Path, nap: float) -> Spawned:
        """Start a driver with a Ray of its own."""
        return ForkedWithRay(self.zygote, arguments, out, nap) if self.zygote.ray else Spawned(arguments, out, nap)

    def _quiet(self) -> View:
        with self.history() as (results, out):
            driver = self.zygote.start(argv(results, "inline"), out, 0.0, answers=self.answers)
            assert ended(driver) == 0, out.read_text()[-3000:]
            return self.view(results, out)

    def view(self, results: Path, out: Path) -> View:
        """Return what is compared of a run that has ended."""
        return View.of(results, out if self.answers else None)

    def require_equal(self, results: Path, out: Path) -> None:
        """Compare a study that has ended with the quiet run, and count it."""
        require_sound(results, self.quiet, set())
        self.view(results, out).require_equal(self.quiet)
        assert Ledger(results).checkpoints.unfinished() == [], "checkpoints are left over"
        self.tally.histories += 1

    @contextlib.contextmanager
    def history(self) -> Iterator[tuple[Path, Path]]:
        """Give a folder for results and a file for what runs say; both stay when the history fails."""
        place = self.folder / uuid.uuid4().hex[:8]
        place.mkdir()
        yield place / "results", place / "out.txt"
        shutil.rmtree(place)


def _ends_within(driver: Forked | Spawned, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if driver.poll() is not None:
            return True
        time.sleep(0.005)
    return driver.poll() is not None


def trains(driver: Spawned, results: Path) -> bool:
    """Wait until the run has written a trial of its own, or has ended; return whether it still runs."""
    before = time.time()
    deadline = time.monotonic() + PATIENCE
    while driver.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            newest = max((path.stat().st_mtime for path in (results / "trials").glob("*.parquet")), default=0.0)
            if newest > before - 0.5:
                return True
        time.sleep(0.05)
    return False


def _strike(driver: Spawned, victim: str) -> bool:
    """Kill a victim; return whether there was one."""
    victims = driver.named(VICTIMS[victim])
    if victim in ("driver", "group"):
        driver.send(signal.SIGKILL)
    for process in {"driver": [], "group": victims}.get(victim, victims[:1]):
        with contextlib.suppress(psutil.Error):
            process.kill()
    return bool(victims)
