"""How fast the ledger is: appends, reading 100,000 trials, "nothing to do" for 10,000. Command: see CONTRIBUTING.md.

Writes analysis/benchmarks/ledger.json: medians with their range over repeats, on the disk of --folder. The appends are
also set against writing the same bytes to the same files with the same fsyncs and nothing else (the floor).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from orchestrator.ledger import Ledger, files
from orchestrator.provenance import machine, versions
from orchestrator.trial import TrialOutcome, TrialSpec, TrialState

METRICS = ("acc", "nmi", "ari", "loss", "smallest_cluster")
BATCH, N_ROWS = 32, 10

READ = """
import sys, time; from pathlib import Path
from orchestrator.ledger import Ledger
started = time.perf_counter(); frame = Ledger(Path(sys.argv[1])).trials(); print(time.perf_counter() - started)
ids = frame["trial_id"].iloc[:10_000].tolist()
started = time.perf_counter(); ledger = Ledger(Path(sys.argv[1])); assert len(ledger.complete(ids)) == len(ids)
print(time.perf_counter() - started)
"""


def outcomes(first: int, count: int) -> list[TrialOutcome]:
    """Return outcomes as a sweep over seven knobs has them."""
    facts = {
        "bundle_id": f"{first:020x}",
        "bundle_size": BATCH,
        "device": "cpu",
        "threads": 1,
        "started_at": 1.7e9 + first,
        "finished_at": 1.7e9 + first + 5,
        "code_digest": "0123456789",
        "git_commit": "f" * 40,
        "versions": versions(),
    }
    made = []
    for seed in range(first, first + count):
        config = {"lr": 0.1 + seed % 97, "fairness_weight": 1.0 * (seed % 31), "heads": seed % 3, "loss": "reverse"}
        config |= {"norm": seed % 2 == 0, "update": "batch", "momentum": 0.9}
        spec = TrialSpec(
            method="entropy", method_version=1, config=config, dataset="mnist_5k", dataset_digest="a" * 20, seed=seed
        )
        made.append(
            TrialOutcome(
                spec=spec,
                attempt=1,
                state=TrialState.COMPLETE,
                metrics={name: 0.5 + seed % 7 / 10 for name in METRICS},
                cost={"seconds": 0.05, "peak_memory_bytes": 1e8, "gpu_seconds": 0.0},
                facts=facts,
            )
        )
    return made


def epoch_rows(trials: list[TrialOutcome], generator: np.random.Generator) -> pa.Table:
    """Return ten rows a trial."""
    n = len(trials) * N_ROWS
    ids = pa.array([trial.spec.trial_id for trial in trials])
    data: dict[str, Any] = {
        "trial_id": ids.take(pa.array(np.repeat(np.arange(len(trials)), N_ROWS))),
        "attempt": np.ones(n, np.int64),
        "epoch": np.tile(np.arange(1, N_ROWS + 1), len(trials)),
        "seconds": generator.random(n),
    }
    data |= {f"metric.{name}": generator.random(n) for name in METRICS}
    return pa.table(data | {"diagnostic.em_iterations": generator.random(n)})


def append_all(folder: Path, parts: list[tuple[list[TrialOutcome], pa.Table]]) -> float:
    """Return the seconds a trial that appending bundle by bundle takes."""
    with Ledger(folder, writable=True) as ledger:
        started = time.perf_counter()
        for trials, rows in parts:
            ledger.append(trials, rows)
        return (time.perf_counter() - started) / sum(len(trials) for trials, _ in parts)


def floor(folder: Path, written: Path) -> float:
    """Return the seconds a trial that writing the same bytes with the same fsyncs takes."""
    contents = [path.read_bytes() for path in sorted(written.rglob("*.parquet"))]
    n_trials = len(Ledger(written).trials())
    folder.mkdir()
    started = time.perf_counter()
    for number, content in enumerate(contents):
        files.write_durably(folder / str(number), content)
    return (time.perf_counter() - started) / n_trials


def spread(values: list[float], unit: str) -> dict[str, Any]:
    """Return the median and the range of repeats."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "unit": unit}


def appending(folder: Path, n_trials: int, repeats: int) -> dict[str, Any]:
    """Measure appends of bundles of 32 with 10 epoch rows a trial, and the floor beside."""
    generator = np.random.default_rng(0)
    parts = []
    for first in range(0, n_trials, BATCH):
        trials = outcomes(first, min(BATCH, n_trials - first))
        parts.append((trials, epoch_rows(trials, generator)))
    times, floors = [], []
    for repeat in range(repeats):
        times.append(1e3 * append_all(folder / f"a{repeat}", parts))
        floors.append(1e3 * floor(folder / f"f{repeat}", folder / f"a{repeat}"))
        shutil.rmtree(folder / f"f{repeat}")
    ratios = [one / other for one, other in zip(times, floors, strict=True)]
    return {
        "append": spread(times, "ms a trial"),
        "floor": spread(floors, "ms a trial"),
        "append / floor": spread(ratios, "ratio"),
    }


def reading(folder: Path, n_trials: int, repeats: int) -> dict[str, Any]:
    """Measure a ledger of `n_trials`: trials as a DataFrame and 10,000 hits, in new processes; epochs; compaction."""
    generator = np.random.default_rng(1)
    with Ledger(folder / "large", writable=True) as ledger:
        for first in range(0, n_trials, 2_000):
            trials = outcomes(first, min(2_000, n_trials - first))
            ledger.append(trials, epoch_rows(trials, generator))
        compact = timed(ledger.compact)
    times = [
        [float(line) for line in subprocess.check_output([sys.executable, "-c", READ, folder / "large"]).split()]
        for _ in range(repeats)
    ]
    epochs = [timed(lambda: Ledger(folder / "large").epochs()) for _ in range(repeats)]
    return {
        "compact": spread([compact], "s"),
        "trials as a DataFrame": spread([one[0] for one in times], "s"),
        "10,000 hits": spread([one[1] for one in times], "s"),
        "epochs as a DataFrame": spread(epochs, "s"),
        "bytes a trial": sum(path.stat().st_size for path in (folder / "large").rglob("*.parquet")) / n_trials,
    }


def timed(call: Callable[[], object]) -> float:
    """Return how many seconds a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main() -> None:
    """Measure and write analysis/benchmarks/ledger.json."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, help="where to write (default: the system's temporary folder)")
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--trials", type=int, default=10_000)
    options.add_argument("--large", type=int, default=100_000)
    options.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "analysis/benchmarks/ledger.json")
    given = options.parse_args()
    folder = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        found = {
            "machine": {name: value for name, value in machine().items() if name != "host"},
            "versions": versions(),
            f"appending {given.trials} trials x {N_ROWS} rows, bundles of {BATCH}": appending(
                folder, given.trials, given.repeats
            ),
            f"a ledger of {given.large} trials": reading(folder, given.large, given.repeats),
        }
    finally:
        shutil.rmtree(folder)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
