"""A long run: thousands of simulated trials of which one in twenty comes to grief; memory, files, logs, and slow-down.

    python tests/benchmarks/long_run.py --trials 10000            # through Ray Tune
    python tests/benchmarks/long_run.py --trials 10000 --inline

Runs a study with the runner itself: failures are classified, tried again or given up by kind, and counted against the
budget. Writes analysis/benchmarks/long_run.json. Fails when a trial has no row, or a promise does not hold: the last
third at most 1.5 times as long as the first, < 50 KB of driver memory a trial, files and logs that do not grow with it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from orchestrator.designs.one_factor import one_factor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Progress, Runner, RunOptions
from orchestrator.study import Study

PLUGINS = (str(Path(__file__).parent / "plugin"),)
OUT = Path(__file__).parents[2] / "analysis/benchmarks"
ARMS = 20
N_EPOCHS = 10


class Watch:
    """Looks at time, memory and files about once a second while a run goes on."""

    def __init__(self, results: Path, logs: Path | None) -> None:
        self.results, self.logs = results, logs
        self.samples: list[dict[str, float]] = []
        self.looked = 0.0

    def __call__(self, progress: Progress) -> None:
        """Take the progress after a report."""
        if progress.trained and time.monotonic() > self.looked + 0.5:
            self.looked = time.monotonic()
            self.samples.append(
                {
                    "cpu": time.process_time(),  # of this process: what a busy machine leaves as it is
                    "trials": progress.trained,
                    "memory": psutil.Process().memory_info().rss,
                    "files": sum(path.is_file() for path in self.results.rglob("*")),
                    "log_bytes": _bytes(self.logs),
                }
            )

    def pace(self, low: float, high: float) -> float:
        """Return CPU milliseconds of the driver a trial, between two fractions of the run."""
        most = self.samples[-1]["trials"]
        start = next(s for s in self.samples if s["trials"] >= low * most)
        end = next(s for s in self.samples if s["trials"] >= high * most)
        return 1e3 * (end["cpu"] - start["cpu"]) / max(end["trials"] - start["trials"], 1)


def _bytes(folder: Path | None) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) if folder is not None else 0


def _executor(inline: bool) -> tuple[Any, Path | None]:
    if inline:
        from orchestrator.executors.inline import InlineExecutor

        return InlineExecutor(), None
    from orchestrator.executors.ray_tune import RayTuneExecutor

    executor = RayTuneExecutor()
    executor.wait()
    return executor, Path(executor.folder)


def main() -> None:
    """Run, check, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--inline", action="store_true", help="without Ray")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    study = Study(
        name="long_run",
        question="Does a long run stay as it began?",
        datasets=("point",),
        n_epochs=N_EPOCHS,
        seeds=given.trials // ARMS,
        metric="nmi",
        failure_budget=0.1,
        design=one_factor("mishaps", {"level": [float(level) for level in range(1, ARMS)]}),
    )
    executor, logs = _executor(given.inline)
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder), writable=True) as ledger:
        watch = Watch(Path(folder), logs)
        try:
            runner = Runner(plan_of(study, Catalogue(PLUGINS)), ledger, RunOptions(plugins=PLUGINS), watch)
            began = time.monotonic()
            executor.run(runner)
            seconds = time.monotonic() - began
            ledger.compact()
            runner.clear_up()
        finally:
            executor.close()
        found = _judged(watch, runner, ledger, seconds)
    name = "long_run.inline.json" if given.inline else "long_run.json"
    (given.out / name).write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def _judged(watch: Watch, runner: Runner, ledger: Ledger, seconds: float) -> dict[str, Any]:
    rows = ledger.trials()
    planned = len(runner.schedule.planned)
    memory = watch.samples[-1]["memory"] - watch.samples[0]["memory"]
    first, last = watch.pace(0.0, 1 / 3), watch.pace(2 / 3, 1.0)
    found = {
        "trials": planned,
        "states": rows["state"].value_counts().to_dict(),
        "failed by kind": rows.loc[rows["state"] == "failed", "failure_kind"].value_counts().to_dict(),
        "rows of attempts": len(ledger.trials(view=False)),
        "seconds": round(seconds, 1),
        "CPU ms of the driver a trial, first third": round(first, 2),
        "CPU ms of the driver a trial, last third": round(last, 2),
        "last third / first third": round(last / first, 2),
        "driver memory, KB a trial": round(memory / planned / 1e3, 1),
        "driver memory at the end, MB": round(watch.samples[-1]["memory"] / 1e6),
        "most files in the results folder": int(max(s["files"] for s in watch.samples)),
        "files after the run": sum(path.is_file() for path in watch.results.rglob("*")),
        "MB of results": round(_bytes(watch.results) / 1e6, 1),
        "MB of logs and other files of Ray": round(watch.samples[-1]["log_bytes"] / 1e6, 1),
        "checkpoints left over": len(ledger.checkpoints.unfinished()),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }
    assert len(rows) == planned == rows["trial_id"].nunique(), "a trial has no row"
    assert not runner.stop_reason, runner.stop_reason
    assert last < 1.5 * first, found
    assert memory / planned < 50e3, found
    assert found["most files in the results folder"] < 1_500, found  # two a batch, and at 512 batches they are merged
    assert found["checkpoints left over"] == 0, found
    return found


if __name__ == "__main__":
    main()
