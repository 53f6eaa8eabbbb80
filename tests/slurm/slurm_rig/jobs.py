"""Jobs that run a study of seconds by `slurm.sh`, and what must hold of each when it is over."""

from __future__ import annotations

import fcntl
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kill_rig.drivers import PLUGIN, ROOT
from kill_rig.views import View, require_sound
from slurm_rig.cluster import Slurm

__all__ = ["NOTHING_LOST", "OVER", "SCRIPT", "Job", "Studies"]

SCRIPT = ROOT / "orchestrator/deploy/slurm.sh"
NOTHING_LOST = "nothing is lost"
OVER = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "PREEMPTED", "NODE_FAIL")
GONE_SECONDS = 10.0
"""After a job's end, nothing of it runs."""
LONGEST_LINE = 400
OF_RAY = re.compile(r"raylet|gcs_server|ray start|ray stop|scripts\.py|worker\.py|\(pid=|ray\.init|INFO |WARNING ")


class Studies:
    """Submits the study, and knows how it ends when nobody disturbs it.

    Args:
        slurm: the cluster.
        folder: for results, on storage that all nodes share.
    """

    def __init__(self, slurm: Slurm, folder: Path) -> None:
        self.slurm, self.folder = slurm, folder
        command = [sys.executable, "-m", "orchestrator", *self.arguments(folder / "quiet"), "--address", "inline"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, timeout=300)
        self.quiet = View.of(folder / "quiet")

    @staticmethod
    def arguments(results: Path) -> list[str]:
        """Return those of the run."""
        return ["run", "walks", "--results", str(results), "--plugin", str(PLUGIN), "--no-report"]

    def submit(self, results: Path, *options: str, nap: float = 0.0, more: tuple[str, ...] = (), names: str = "walks") -> Job:
        """Submit the study by the script that users submit.

        Args:
            results: its results folder.
            options: of sbatch.
            nap: seconds that an epoch takes.
            more: options of `orchestrate run`.
            names: the study, or several for a job array.
        """
        out = self.folder / f"{results.name}-{time.monotonic_ns()}.out"
        run = [names, str(results), "--plugin", str(PLUGIN), "--no-report", *more]
        number = self.slurm.submit(
            "--nodes=2", "--exclusive", f"--output={out}", *options, SCRIPT, *run,
            env={"WALK_NAP": str(nap), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        return Job(self.slurm, number, results, out)

    def require_whole(self, results: Path) -> None:
        """Check that a study has ended as if nobody had disturbed it."""
        require_sound(results, self.quiet, set())
        View.of(results).require_equal(self.quiet)


@dataclass
class Job:
    """A submitted run."""

    slurm: Slurm
    number: str
    results: Path
    out: Path

    @property
    def said(self) -> str:
        """What it printed."""
        return self.out.read_text() if self.out.exists() else ""

    @property
    def state(self) -> str:
        """What Slurm calls its state."""
        return self.slurm.job(self.number)["JobState"]

    def until(self, holds: Callable[[], bool], seconds: float = 120.0) -> None:
        """Wait for something to hold while the job is not over."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert self.state not in OVER, f"{self.state}: {self.said}"
            assert time.monotonic() < deadline, f"{self.state}: {self.said}"
            time.sleep(0.3)

    def until_training(self, n_batches: int = 1) -> None:
        """Wait for the first trials in the ledger."""
        self.until(lambda: len(list((self.results / "trials").glob("*.parquet"))) >= n_batches)

    def ended(self, seconds: float = 180.0) -> tuple[str, str]:
        """Return the state and the exit status with which it ends, and check that it leaves nothing behind."""
        found = self.slurm.wait(self.number, *OVER, seconds=seconds)
        self.require_gone()
        self.require_readable()
        return found["JobState"], found["ExitCode"]

    def require_gone(self) -> None:
        """Check that no process of the job is left 10 s after its end, and no folder."""
        deadline = time.monotonic() + GONE_SECONDS
        while left := self.slurm.processes_of(self.number):
            assert time.monotonic() < deadline, [process.cmdline() for process in left]
            time.sleep(0.2)
        places = [self.slurm.folder / name / "tmp" for name in self.slurm.names]
        assert not [place for folder in places for place in folder.glob("orchestrate-ray-*") if not _in_use(place)]

    def require_readable(self) -> None:
        """Check that what it printed are lines for its reader: no traceback, nothing of Ray's own."""
        lines = self.said.splitlines()
        assert not [line for line in lines if OF_RAY.search(line) or len(line) > LONGEST_LINE], self.said
        assert "Traceback" not in self.said


def _in_use(folder: Path) -> bool:
    """Return whether a private folder's process is alive: another job's, then."""
    try:
        with (folder / "alive").open("rb") as mark:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
