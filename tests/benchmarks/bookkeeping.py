"""What a trial costs beside training: through Ray Tune (or inline) and into a real ledger, ten rows each.

    python tests/benchmarks/bookkeeping.py             # all of it, into analysis/benchmarks/bookkeeping.json
    python tests/benchmarks/bookkeeping.py --trials 10000 --size 32
    python tests/benchmarks/bookkeeping.py --trials 400 --size 1

Prints trials/s after the first report (start-up apart), the cost per trial of each tenth of the run, and the driver's
memory per trial; targets: >= 500 trials/s (bundles <= 32), >= 20/s (bundles of 1), < 50 KB, last tenth / first < 1.5.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

import psutil

from orchestrator.executors.inline import InlineExecutor
from orchestrator.executors.ray_tune import RayTuneExecutor
from orchestrator.ledger import Ledger
from orchestrator.row_table import RowTable
from orchestrator.trial import Bundle, BundleTask, TrialSpec

PLUGIN = str(Path(__file__).parent / "plugin")
TARGET = Path(__file__).parents[2] / "analysis" / "benchmarks" / "bookkeeping.json"
RUNS = ((100, 32), (1_000, 32), (3_000, 32), (10_000, 32), (400, 1))
"""(trials, bundle size), each in a process of its own."""


class Source:
    """Bundles of the method `nothing` on their way into a ledger."""

    stopping = False

    def __init__(self, trials, size, ledger):
        self.queue = deque(_bundle(range(first, min(first + size, trials))) for first in range(0, trials, size))
        self.ledger, self.open, self.marks, self.done, self.ledger_seconds = ledger, {}, [], 0, 0.0
        self.memory, self.cpu = 0, 0.0

    def next_task(self):
        if not self.queue:
            return None
        bundle = self.queue.popleft()
        self.open[bundle.bundle_id] = RowTable()
        return BundleTask(bundle=bundle, plugins=(PLUGIN,))

    @property
    def finished(self):
        return not self.queue and not self.open

    def report(self, bundle, report):
        if not self.marks:
            self.memory, self.cpu = psutil.Process().memory_info().rss, time.process_time()
        began = time.perf_counter()
        rows = self.open[bundle.bundle_id]
        rows.add(report.rows)
        if report.outcomes and self.ledger is not None:
            self.ledger.append(report.outcomes, rows.of({outcome.spec.trial_id for outcome in report.outcomes}))
        self.ledger_seconds += time.perf_counter() - began
        self.done += len(report.outcomes)
        if report.finished:
            del self.open[bundle.bundle_id]
        self.marks.append((time.perf_counter(), self.done))

    def prepare(self):
        pass

    def lost(self, bundle, kind, error, log=""):
        raise RuntimeError(error)


def _bundle(seeds):
    config = {"learning_rate": 0.1, "fairness_weight": 100.0, "norm_weight": 1.0}
    return Bundle(
        tuple(
            TrialSpec(
                method="nothing",
                method_version=1,
                config=config,
                dataset="point",
                dataset_digest="",
                seed=seed,
                n_epochs=10,
            )
            for seed in seeds
        )
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=0)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--executor", choices=["ray_tune", "inline"], default="ray_tune")
    parser.add_argument("--no-ledger", action="store_true")
    options = parser.parse_args()
    if not options.trials:
        everything()
        return
    executor = RayTuneExecutor() if options.executor == "ray_tune" else InlineExecutor()
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder), writable=True) as ledger:
        source = Source(options.trials, options.size, None if options.no_ledger else ledger)
        try:
            executor.run(source)
            memory, cpu = psutil.Process().memory_info().rss - source.memory, time.process_time() - source.cpu
            ledger.compact()
            files = sum(1 for path in Path(folder).rglob("*") if path.is_file())
        finally:
            executor.close()
    _print(source, memory, cpu, files)
    print(json.dumps(_facts(source, memory, cpu, options.size)))


def everything():
    """Run all of RUNS one after another and write what they gave."""
    found, loads = [], [os.getloadavg()]
    for trials, size in RUNS:
        command = [sys.executable, __file__, "--trials", str(trials), "--size", str(size)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        *lines, facts = done.stdout.strip().splitlines()
        print("\n".join(lines), flush=True)
        found.append(json.loads(facts))
        loads.append(os.getloadavg())
    each = {(one["trials"], one["bundle"]): one for one in found}
    result = {
        "command": "python tests/benchmarks/bookkeeping.py",
        "cpu_count": os.cpu_count(),
        "load_averages": loads,
        "runs": found,
        "cost_at_10000_over_1000": each[10_000, 32]["ms_a_trial"] / each[1_000, 32]["ms_a_trial"],
        "driver_cpu_at_10000_over_1000": each[10_000, 32]["driver_cpu_ms"] / each[1_000, 32]["driver_cpu_ms"],
    }
    TARGET.write_text(json.dumps(result, indent=1) + "\n")


def _facts(source, memory, cpu, size):
    (began, before), (ended, trials) = source.marks[0], source.marks[-1]
    seconds, counted = ended - began, trials - before
    return {
        "trials": trials,
        "bundle": size,
        "trials_per_second": counted / seconds,
        "ms_a_trial": 1e3 * seconds / counted,
        "driver_cpu_ms": 1e3 * cpu / trials,
        "driver_kb": memory / trials / 1e3,
    }


def _print(source, memory, cpu, files):
    (began, _), (ended, trials) = source.marks[0], source.marks[-1]
    tenths = [_seconds_between(source.marks, trials * k // 10, trials * (k + 1) // 10) for k in range(10)]
    per_trial = [1e3 * 10 * seconds / trials for seconds in tenths]
    print(f"{trials} trials in {ended - began:.2f} s after the first report: {trials / (ended - began):.0f} trials/s")
    print(f"the driver's CPU time: {cpu:.2f} s, {1e3 * cpu / trials:.2f} ms a trial (what counts on a busy machine)")
    print(f"ms per trial by tenth of the run: {' '.join(f'{ms:.2f}' for ms in per_trial)}")
    print(f"last third / first third: {statistics.mean(per_trial[-3:]) / statistics.mean(per_trial[:3]):.2f}")
    print(f"driver memory: {memory / trials / 1e3:.1f} KB a trial; files in the ledger: {files}")
    print(f"ledger and rows: {source.ledger_seconds:.2f} s of it")


def _seconds_between(marks, low, high):
    start = next(at for at, done in marks if done >= low)
    return next(at for at, done in marks if done >= high) - start


if __name__ == "__main__":
    main()
