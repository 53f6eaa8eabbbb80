"""Jobs that run a study of seconds by `slurm.sh`, and what must hold of each when it is over."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from kill_rig.drivers import PLUGIN, ROOT
from kill_rig.views import View, require_sound
from slurm_rig.cluster import Slurm

__all__ = ["NOTHING_LOST", "OVER", "SCRIPT", "Job", "Studies"]

SCRIPT = ROOT / "orchestrator/deploy/slurm.sh"
OWN_PLUGIN = Path(__file__).parents[1] / "plugin"
NOTHING_LOST = "nothing is lost"
OVER = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "PREEMPTED", "NODE_FAIL")
GONE_SECONDS = 10.0
"""After a job's end, nothing of it runs."""
LONGEST_LINE = 400
OF_RAY = re.compile(r"raylet|gcs_server|ray start|ray stop|scripts\.py|worker\.py|\(pid=|ray\.init|INFO |WARNING ")


class Studies:
    """Submits studies, and knows how they end when nobody disturbs them.

    Args:
        slurm: the cluster.
        folder: for results, on storage that all nodes share.
    """

    def __init__(self, slurm: Slurm, folder: Path) -> None:
        self.slurm, self.folder = slurm, folder
        self._quiet: dict[str, View] = {}

    def submit(
        self, results: str, *options: str, nap: float = 0.0, more: Sequence[str] = (), names: str = "walks"
    ) -> Job:
        """Submit a study by the script that users submit, on two whole nodes if `options` do not say otherwise.

        Args:
            results: name of its results folder.
            options: of sbatch.
            nap: seconds that an epoch takes.
            more: options of `orchestrate run`.
            names: the study, or several for a job array.
        """
        out = self.folder / f"{results}-{time.monotonic_ns()}.out"
        run = [names, str(self.folder / results), *_plugins(), "--no-report", *more]
        where = (
            options
            if any(option.startswith("--nodes") for option in options)
            else ("--nodes=2", "--exclusive", *options)
        )
        number = self.slurm.submit(
            f"--output={out}", *where, SCRIPT, *run, env={"WALK_NAP": str(nap), "OMP_NUM_THREADS": "1"}
        )
        return Job(self.slurm, number, self.folder / results, out)

    def require_whole(self, results: Path, names: str = "walks") -> None:
        """Check that studies have ended as if nobody had disturbed them: every row, bit for bit, and none twice."""
        quiet = self.quiet(names)
        require_sound(results, quiet, set())
        View.of(results).require_equal(quiet)

    def quiet(self, names: str) -> View:
        """Return the rows of an undisturbed run in one process."""
        if names not in self._quiet:
            results = self.folder / f"quiet-{names}"
            for name in names.split(","):
                run = ["run", name, "--results", results, *_plugins(), "--no-report", "--address", "inline"]
                command = [sys.executable, "-m", "orchestrator", *map(str, run)]
                environment = {**os.environ, "PYTHONPATH": str(ROOT)}
                subprocess.run(command, check=True, capture_output=True, cwd=self.folder, env=environment, timeout=300)
            self._quiet[names] = View.of(results)
        return self._quiet[names]

    def again(self, job: Job) -> None:
        """Submit a job that ended early once more, and check that it goes on and ends."""
        before = require_sound(job.results, self.quiet("walks"), set())
        later = self.submit(job.results.name)
        assert later.ended() == ("COMPLETED", "0:0"), later.said
        require_sound(job.results, self.quiet("walks"), before)
        self.require_whole(job.results)


@dataclass
class Job:
    """A submitted run."""

    slurm: Slurm
    number: str
    results: Path
    out: Path
    tidies_up: bool = True
    """Whether it removes its temporary folders; false: what does so is killed, and the next run on the node does."""

    @property
    def said(self) -> str:
        """What it printed."""
        return self.out.read_text() if self.out.exists() else ""

    @property
    def state(self) -> str:
        """What Slurm calls its state."""
        return self.slurm.job(self.number)["JobState"]

    @property
    def nodes(self) -> list[str]:
        """Its nodes; the first runs the batch script."""
        names = self.slurm.command("scontrol", "show", "hostnames", self.slurm.job(self.number)["NodeList"])
        return names.split()

    def until(self, holds: Callable[[], object], seconds: float = 150.0) -> None:
        """Wait for something to hold while the job is not over."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert self.state not in OVER, f"{self.state}: {self.said}"
            assert time.monotonic() < deadline, f"{self.state}: {self.said}"
            time.sleep(0.3)

    def until_training(self) -> None:
        """Wait for the first trials in the ledger."""
        self.until(lambda: list((self.results / "trials").glob("*.parquet")))

    def until_queued_again(self) -> None:
        """Wait for the job to be back in the queue with nothing left of it; then have it begin at once."""
        self.until(lambda: self.state == "PENDING", 180)
        self.require_gone()
        self.slurm.command("scontrol", "update", f"JobId={self.number}", "StartTime=now")

    def ended(self, seconds: float = 240.0) -> tuple[str, str]:
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
        if self.tidies_up:
            up = [name for name in self.slurm.names if self.slurm.machine(name).is_up]
            places = [place for name in up for place in (self.slurm.folder / name / "tmp").glob("orchestrate-ray-*")]
            left = [place for place in places if not _in_use(place)]
            assert not left, (left, self.said)

    def require_readable(self) -> None:
        """Check that what it printed are lines for its reader: no traceback, nothing of Ray's own."""
        lines = self.said.splitlines()
        assert not [line for line in lines if OF_RAY.search(line) or len(line) > LONGEST_LINE], self.said
        assert "Traceback" not in self.said, self.said

    def process(self, name: str) -> psutil.Process:
        """Return a process of the job by a part of its command line."""
        (found,) = [
            p for p in self.slurm.processes_of(self.number) if name in " ".join(p.cmdline()) and "srun" not in p.name()
        ]
        return found


def _plugins() -> list[str]:
    return ["--plugin", str(PLUGIN), "--plugin", str(OWN_PLUGIN)]


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
