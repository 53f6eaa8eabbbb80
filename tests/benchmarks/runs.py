"""A run from the command to its end, beside another installation's, in turn: start, CPU time, memory of all processes.

`python tests/benchmarks/runs.py quickstart --against OTHER/bin/orchestrate --out analysis/benchmarks/runs.json`
`python tests/benchmarks/runs.py sweep --against OTHER/bin/orchestrate --out analysis/benchmarks/runs.json`

`first bundle` is from the command to the first trial's `started_at`, in seconds of a clock; memory is the largest sum
of proportional set sizes (shared pages count once); CPU seconds are sampled over the command and all processes below
it, and up to the first bundle too: on a busy machine they say more than the clock. The training of a trial is its share
of what its bundle took in the worker.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pyarrow.dataset as ds
from sweep import STUDY

NAP_SECONDS = 0.3
MEMORY_EVERY = 5
"""Samples of CPU time for one of memory, which takes longer to read."""


class Tree:
    """What a process and those below it have used; sampled."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._seconds: dict[tuple[int, float], float] = {}
        self._samples: list[tuple[float, float]] = []
        self.most_mib = 0.0

    def sample(self, *, memory: bool) -> None:
        """Look at all of them once."""
        total = 0.0
        with contextlib.suppress(psutil.Error):
            for one in [self._process, *self._process.children(recursive=True)]:
                with contextlib.suppress(psutil.Error, OSError):
                    used = one.cpu_times()
                    self._seconds[one.pid, one.create_time()] = used.user + used.system
                    if memory:
                        total += one.memory_full_info().pss / 2**20
        self.most_mib = max(self.most_mib, total)
        self._samples.append((time.time(), sum(self._seconds.values())))

    def seconds_until(self, moment: float) -> float:
        """Return the CPU seconds that had been used at a time."""
        return max((used for at, used in self._samples if at <= moment), default=0.0)


def once(program: list[str], study: str) -> dict[str, float]:
    """Run a study in an empty folder; return what it took.

    Raises:
        RuntimeError: the command failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        began = time.time()
        command = [*program, "run", study, "--results", f"{folder}/results"]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
            tree, n = Tree(psutil.Process(process.pid)), 0
            while process.poll() is None:
                tree.sample(memory=n % MEMORY_EVERY == 0)
                n += 1
                time.sleep(NAP_SECONDS)
        if process.returncode:
            raise RuntimeError(f"{command} ended with {process.returncode}")
        ended = time.time()
        trials = ds.dataset(f"{folder}/results/trials").to_table(columns=["started_at", "cost.seconds"])
        first = min(trials["started_at"].to_pylist()).timestamp()
    return {
        "first bundle: s": round(first - began, 2),
        "first bundle: CPU s": round(tree.seconds_until(first), 2),
        "end: s": round(ended - began, 2),
        "end: CPU s": round(tree.seconds_until(ended), 2),
        "memory: MiB": round(tree.most_mib),
        "training: ms a trial": round(1000 * statistics.mean(trials["cost.seconds"].to_pylist()), 2),
    }


def main() -> None:
    """Measure, print and write after each repetition, so that one that is cut short leaves what it has."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("study", choices=["quickstart", "sweep"])
    parser.add_argument("--against", default="", help="the command of another installation")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True, help="a JSON file; what it says of the other study is kept")
    options = parser.parse_args()
    sides = {"here": [sys.executable, "-m", "orchestrator"]}
    sides |= {"there": options.against.split()} if options.against else {}
    values: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as folder:
        study = options.study
        if study == "sweep":
            Path(folder, "sweep.py").write_text(STUDY)
            study = f"{folder}/sweep.py"
        for _ in range(options.repeats):
            for side, program in sides.items():
                values[side].append(once(program, study))
                print(side, values[side][-1], flush=True)
            known = json.loads(options.out.read_text()) if options.out.exists() else {}
            known[options.study] = summary(values) | {"values": values}
            options.out.write_text(json.dumps(known, indent=1) + "\n")


def summary(values: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return what was measured -> medians of both sides and their ratio."""
    found: dict[str, dict[str, float]] = {}
    for what in values["here"][0]:
        row = {side: statistics.median(one[what] for one in taken) for side, taken in values.items() if taken}
        if "there" in row:
            row["ratio"] = round(row["here"] / row["there"], 3)
        found[what] = row
    return found


if __name__ == "__main__":
    main()
