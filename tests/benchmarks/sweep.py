"""The sweep against its rivals: 64 configurations x 6 seeds of entropy clustering on mnist_5k, from command to Parquet.

    python tests/benchmarks/sweep.py [--repeats 3] [--ours 5] [--trials 24]

Ours is timed in full, as a user runs it (fresh process, empty results folder). Rivals are timed on `--trials` trials,
other ones in each repeat, interleaved with ours; start-up counts once, cost per trial is scaled to 384. One torch
thread everywhere. Figures are medians; a ratio is that of medians, with the least and the most of the rival's repeats.
Only ratios within one run mean anything. The rows of the rivals' trials are compared with ours of the same trials.
Writes analysis/benchmarks/sweep.json (after each repeat, so that a run that is cut short leaves what it has).
"""

import argparse
import itertools
import json
import math
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
TARGET = ROOT / "analysis" / "benchmarks" / "sweep.json"
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
NAMES = {
    "loop": "one process in a loop",
    "tutorial_tune": "Ray Tune as in its tutorial",
    "careful_tune": "Ray Tune, reuse_actors, data in the object store",
    "optuna_processes": "Optuna, two processes, JournalStorage",
}
STRIDE = 77
"""Steps through the 384 trials (coprime to them): any few of them are spread over all factors and seeds."""


def cases(n, turn=0):
    """Return n of the 384 trials, spread over grid and seeds; other ones in another turn."""
    grid = [dict(zip(LEVELS, values, strict=True)) for values in itertools.product(*LEVELS.values())]
    every = [{**config, "seed": seed} for seed in range(6) for config in grid]
    return [every[STRIDE * (turn * n + place) % len(every)] for place in range(n)]


def ours(folder):
    """Return the seconds of the whole command, those between first and last row, and case -> (ACC, NMI)."""
    study = folder / "sweep_study.py"
    study.write_text(STUDY)
    results = folder / "results"
    command = [sys.executable, "-m", "orchestrator", "run", str(study), "--results", str(results), "--no-report"]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment())
    seconds = time.perf_counter() - began
    import pyarrow.dataset as ds

    rows = ds.dataset(results / "trials").to_table().to_pandas()
    assert len(rows) == N_TRIALS, len(rows)
    assert set(rows["state"]) == {"complete"}
    span = (rows["finished_at"].max() - rows["started_at"].min()).total_seconds()  # whole seconds
    scores = {}
    for config, seed, acc, nmi in zip(
        rows["config"], rows["seed"], rows["metric.acc"], rows["metric.nmi"], strict=True
    ):
        scores[key({**json.loads(config), "seed": seed})] = (acc, nmi)
    return seconds, max(span, 1.0), scores


def key(case):
    """Return what names a case."""
    return tuple(float(case[name]) for name in (*LEVELS, "seed"))


def environment():
    """Return the environment of a fresh process that imports this checkout."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)])}


def rival(name, n, turn, folder):
    """Run a rival on n trials in a fresh process; return start-up seconds, seconds a trial, and its last rows."""
    code = (
        "import json, sys, time; began = time.perf_counter(); import rivals, sweep; "
        f"arguments = [] if {name!r} == 'loop' else [{str(folder)!r}]; "
        f"seconds, rows = getattr(rivals, {name!r})(sweep.cases({n}, {turn}), *arguments); assert len(rows) >= {n}; "
        "whole = time.perf_counter() - began; "
        "print(json.dumps([whole - seconds, seconds, [[row['acc'], row['nmi']] for row in rows]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    startup, seconds, rows = json.loads(done.stdout.decode().strip().splitlines()[-1])
    return startup, seconds / n, rows


def agreement(pairs):
    """Return, per score, the mean of ours less the loop's over the same trials, in points, with its standard error."""
    found = {"trials": len(pairs)}
    for place, name in enumerate(("acc", "nmi")):
        differences = [100 * (mine[place] - other[place]) for mine, other in pairs]
        error = statistics.stdev(differences) / math.sqrt(len(differences))
        found[name] = {"mean_points": statistics.mean(differences), "standard_error": error}
    return found


def summary(own, spans, found, pairs, n_each):
    """Return what goes into the JSON."""
    median = statistics.median(own)
    result = {
        "command": "python tests/benchmarks/sweep.py",
        "trials": N_TRIALS,
        "rivals_timed_on": n_each,
        "cpu_count": os.cpu_count(),
        "torch_threads": 1,
        "ours_seconds": own,
        "ours_training_seconds": spans,
        "rivals": {},
    }
    for name in RIVALS:
        whole = [startup + each * N_TRIALS for startup, each in found[name]]
        if whole:
            ratios = [one / median for one in whole]
            result["rivals"][name] = {
                "name": NAMES[name],
                "startup_seconds": [startup for startup, _ in found[name]],
                "seconds_a_trial": [each for _, each in found[name]],
                "seconds_scaled": whole,
                "ratio": statistics.median(whole) / median,
                "spread": [min(ratios), max(ratios)],
            }
    trained = statistics.median(each for _, each in found["loop"]) * N_TRIALS
    result["loop_without_startup"] = trained / statistics.median(spans)
    result["agreement_with_the_loop"] = agreement(pairs)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ours", type=int, default=5)
    parser.add_argument("--trials", type=int, default=24)
    asked = parser.parse_args()
    own, spans, pairs, loads = [], [], [], [os.getloadavg()]
    found = {name: [] for name in RIVALS}
    for turn in range(max(asked.repeats, asked.ours)):
        folder = Path(tempfile.mkdtemp())
        try:
            if turn < asked.ours:
                seconds, span, scores = ours(folder)
                own.append(seconds)
                spans.append(span)
                print(f"ours: {seconds:.1f} s, {span:.0f} s of it between first and last row", flush=True)
            for name in RIVALS if turn < asked.repeats else ():
                startup, each, rows = rival(name, asked.trials, turn, folder)
                found[name].append((startup, each))
                print(f"{name}: start-up {startup:.1f} s, {each:.3f} s a trial", flush=True)
                if name == "loop":
                    mine = [scores[key(case)] for case in cases(asked.trials, turn)]
                    pairs += list(zip(mine, rows, strict=True))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        loads.append(os.getloadavg())
        result = {**summary(own, spans, found, pairs, asked.trials), "load_averages": loads}
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(json.dumps(result, indent=1) + "\n")
    for name, one in result["rivals"].items():
        print(f"{name}: {one['ratio']:.1f}x ours [{one['spread'][0]:.1f}, {one['spread'][1]:.1f}]")
    print(f"loop over ours without start-up: {result['loop_without_startup']:.1f}x")
    print(f"ours less the loop: {result['agreement_with_the_loop']}")


if __name__ == "__main__":
    main()
