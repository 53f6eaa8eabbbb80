"""The sweep against its rivals: 64 configurations x 6 seeds of entropy clustering on mnist_5k, from command to Parquet.

    python tests/benchmarks/sweep.py [--repeats 3] [--ours 5] [--trials 24]

Ours is timed in full, as a user runs it (fresh process, empty results folder). Rivals are timed on `--trials`
trials, interleaved with ours; start-up counts once, cost per trial is scaled to 384. Medians; ratios with spread.
Writes analysis/benchmarks/sweep.json. Only ratios within one run mean anything.
"""

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
N_TRIALS = 384
LEVELS = {
    "fairness_weight": [1.0, 10.0, 100.0, 1000.0],
    "norm_weight": [1e-5, 1e-4, 1e-3, 1e-2],
    "lr": [0.03, 0.1, 0.3, 1.0],
}
STUDY = f'''
"""64 configurations x 6 seeds."""
from orchestrator.designs.grid import grid
from orchestrator.study import Study
STUDY = Study(question="sweep", datasets=("mnist_5k",), n_epochs=10, seeds=6, exploratory=True,
              design=grid("entropy", {LEVELS!r}))
'''
RIVALS = ("loop", "tutorial_tune", "careful_tune", "optuna_processes")


def cases(n):
    """Return n of the 384 trials, spread over the grid, as the rivals take them."""
    grid = [dict(zip(LEVELS, values, strict=True)) for values in itertools.product(*LEVELS.values())]
    every = [{**config, "seed": seed} for seed in range(6) for config in grid]
    return every[:: max(1, len(every) // n)][:n]


def ours(folder):
    """Return the seconds of the whole command, and those between the first and the last row."""
    study = folder / "sweep_study.py"
    study.write_text(STUDY)
    results = folder / "results"
    command = [sys.executable, "-m", "orchestrator", "run", str(study), "--results", str(results), "--no-report"]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment())
    seconds = time.perf_counter() - began
    import pyarrow.dataset as ds

    rows = (
        ds.dataset(results / "trials").to_table(columns=["trial_id", "started_at", "finished_at", "state"]).to_pandas()
    )
    assert len(rows) == N_TRIALS, len(rows)
    assert set(rows["state"]) == {"complete"}
    span = (rows["finished_at"].max() - rows["started_at"].min()).total_seconds()
    return seconds, max(span, 1.0)


def environment():
    """Return the environment of a fresh process that imports this checkout."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)])}


def rival(name, n, folder):
    """Run a rival on n trials in a fresh process; return (start-up seconds, seconds a trial)."""
    code = (
        "import json, sys, time; began = time.perf_counter(); import rivals, sweep; "
        f"arguments = [] if {name!r} == 'loop' else [{str(folder)!r}]; "
        f"seconds, rows = getattr(rivals, {name!r})(sweep.cases({n}), *arguments); assert len(rows) >= {n}; "
        "print(json.dumps([time.perf_counter() - began - seconds, seconds]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    startup, seconds = json.loads(done.stdout.decode().strip().splitlines()[-1])
    return startup, seconds / n


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ours", type=int, default=5)
    parser.add_argument("--trials", type=int, default=24)
    asked = parser.parse_args()
    own, spans = [], []
    found = {name: [] for name in RIVALS}
    for turn in range(max(asked.repeats, asked.ours)):
        folder = Path(tempfile.mkdtemp())
        try:
            if turn < asked.ours:
                seconds, span = ours(folder)
                own.append(seconds)
                spans.append(span)
                print(f"ours: {seconds:.1f} s, {span:.0f} s of it between first and last row", flush=True)
            for name in RIVALS if turn < asked.repeats else ():
                startup, each = rival(name, asked.trials, folder)
                found[name].append(startup + each * N_TRIALS)
                print(f"{name}: start-up {startup:.1f} s, {each:.3f} s a trial", flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    median = statistics.median(own)
    result = {"ours_seconds": own, "ours_training_seconds": spans, "trials": N_TRIALS, "rivals": {}}
    for name, seconds in found.items():
        ratios = [one / median for one in seconds]
        result["rivals"][name] = {
            "seconds_scaled": seconds,
            "ratio": statistics.median(ratios),
            "spread": [min(ratios), max(ratios)],
        }
        print(f"{name}: {statistics.median(ratios):.1f}x ours [{min(ratios):.1f}, {max(ratios):.1f}]")
    result["loop_without_startup"] = statistics.median(found["loop"]) / statistics.median(spans)
    print(f"loop over ours without start-up: {result['loop_without_startup']:.1f}x")
    target = ROOT / "analysis" / "benchmarks" / "sweep.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
