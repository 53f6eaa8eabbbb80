"""The sweep against its rivals: 64 configurations x 6 seeds of entropy clustering on mnist_5k, from command to Parquet.

    python tests/benchmarks/sweep.py [--repeats 3] [--ours 5] [--trials 24]

Ours is timed in full, as a user runs it (fresh process, empty results folder). Rivals are timed on `--trials` trials,
other ones in each repeat, interleaved with ours. What a trial costs is the time from the second end of a trial to the
last; the rest (start of Python, Ray, workers) counts once, and the cost per trial is scaled to 384. One torch thread
everywhere. Figures are medians; a ratio is that of medians, with the least and the most of the rival's repeats.
Only ratios within one run mean anything. On a busy machine wall time says little: the CPU time of each program's
processes (sampled, so that Ray's count too) stands beside it; a loop cannot use the second core, ours does. The rows of
the rivals' trials are compared with ours of the same trials.
Writes analysis/benchmarks/sweep.json (after each rival, so that a run that is cut short leaves what it has).
"""

import argparse
import contextlib
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

import numpy as np
import psutil

from orchestrator.provenance import machine

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
RIVALS = ("loop", "careful_tune", "optuna_processes", "tutorial_tune")
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
    _, grown = watched(command)
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
    return seconds, grown[-1][1], max(span, 1.0), scores


def watched(command):
    """Run a command; return what it prints, and (time, CPU seconds of it and all processes below it) as they grew."""
    used, grown = {}, []
    with tempfile.TemporaryFile("w+") as printed:
        program = psutil.Popen(command, stdout=printed, stderr=subprocess.DEVNULL, env=environment())
        while program.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in [program, *program.children(recursive=True)]:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        times = process.cpu_times()
                        used[process.pid, process.create_time()] = times.user + times.system
            grown.append((time.time(), sum(used.values())))
            time.sleep(0.25)
        if program.returncode:
            raise subprocess.CalledProcessError(program.returncode, command)
        printed.seek(0)
        return printed.read(), grown


def key(case):
    """Return what names a case."""
    return tuple(float(case[name]) for name in (*LEVELS, "seed"))


def environment():
    """Return the environment of a fresh process that imports this checkout."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)])}


def rival(name, n, turn, folder):
    """Run a rival on n trials in a fresh process; return {start-up, cost of a trial; in wall and CPU} and last rows."""
    code = (
        "import json, rivals, sweep; "
        f"arguments = [] if {name!r} == 'loop' else [{str(folder)!r}]; "
        f"_, rows = getattr(rivals, {name!r})(sweep.cases({n}, {turn}), *arguments); assert len(rows) >= {n}; "
        "print(json.dumps([[row['ended'], row['acc'], row['nmi']] for row in rows]))"
    )
    began = time.time()
    printed, grown = watched([sys.executable, "-c", code])
    whole = time.time() - began
    rows = json.loads(printed.strip().splitlines()[-1])
    ends = sorted(row[0] for row in rows)
    each = (ends[-1] - ends[1]) / (len(ends) - 2)
    at, used = zip(*grown, strict=True)
    cpu_each = float(np.diff(np.interp([ends[1], ends[-1]], at, used))[0]) / (len(ends) - 2)
    times = {"startup": whole - each * len(ends), "each": each, "cpu_each": cpu_each}
    return {**times, "cpu_startup": used[-1] - cpu_each * len(ends)}, [row[1:] for row in rows]


def agreement(pairs):
    """Return, per score, the mean of ours less the loop's over the same trials, in points, with its standard error."""
    found = {"trials": len(pairs)}
    for place, name in enumerate(("acc", "nmi")):
        differences = [100 * (mine[place] - other[place]) for mine, other in pairs]
        error = statistics.stdev(differences) / math.sqrt(len(differences))
        found[name] = {"mean_points": statistics.mean(differences), "standard_error": error}
    return found


def summary(own, found, pairs, n_each):
    """Return what goes into the JSON."""
    median = statistics.median(own["seconds"])
    cpu = statistics.median(own["cpu"])
    result = {
        "command": "python tests/benchmarks/sweep.py",
        "trials": N_TRIALS,
        "rivals_timed_on": n_each,
        "machine": {name: fact for name, fact in machine().items() if name != "host"},
        "torch_threads": 1,
        "ours_seconds": own["seconds"],
        "ours_cpu_seconds": own["cpu"],
        "ours_training_seconds": own["training"],
        "rivals": {},
    }
    for name in RIVALS:
        whole = [one["startup"] + one["each"] * N_TRIALS for one in found[name]]
        if whole:
            ratios = [one / median for one in whole]
            spent = [one["cpu_startup"] + one["cpu_each"] * N_TRIALS for one in found[name]]
            result["rivals"][name] = {
                "name": NAMES[name],
                "repeats": found[name],
                "seconds_scaled": whole,
                "ratio": statistics.median(whole) / median,
                "spread": [min(ratios), max(ratios)],
                "cpu_seconds_scaled": spent,
                "cpu_ratio": statistics.median(spent) / cpu,
            }
    trained = statistics.median(one["each"] for one in found["loop"]) * N_TRIALS
    result["loop_without_startup"] = trained / statistics.median(own["training"])
    result["agreement_with_the_loop"] = agreement(pairs)
    return result


def write(own, found, pairs, n_each, loads):
    """Write what is known so far, and return it."""
    result = {**summary(own, found, pairs, n_each), "load_averages": loads}
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps(result, indent=1) + "\n")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ours", type=int, default=5)
    parser.add_argument("--trials", type=int, default=24)
    asked = parser.parse_args()
    own, pairs, loads = {"seconds": [], "cpu": [], "training": []}, [], [os.getloadavg()]
    found = {name: [] for name in RIVALS}
    for turn in range(max(asked.repeats, asked.ours)):
        folder = Path(tempfile.mkdtemp())
        try:
            if turn < asked.ours:
                *times, scores = ours(folder)
                for series, value in zip(own.values(), times, strict=True):
                    series.append(value)
                print("ours: {:.1f} s (CPU {:.1f} s), {:.0f} s between first and last row".format(*times), flush=True)
            for name in RIVALS if turn < asked.repeats else ():
                times, rows = rival(name, asked.trials, turn, folder)
                found[name].append(times)
                print(f"{name}: {times}", flush=True)
                if name == "loop":
                    mine = [scores[key(case)] for case in cases(asked.trials, turn)]
                    pairs += list(zip(mine, rows, strict=True))
                loads.append(os.getloadavg())
                result = write(own, found, pairs, asked.trials, loads)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        result = write(own, found, pairs, asked.trials, loads)
    for name, one in result["rivals"].items():
        spread = "{:.1f}, {:.1f}".format(*one["spread"])
        print(f"{name}: {one['ratio']:.1f}x ours [{spread}]; CPU time {one['cpu_ratio']:.1f}x")
    print(f"loop over ours without start-up: {result['loop_without_startup']:.1f}x")
    print(f"ours less the loop: {result['agreement_with_the_loop']}")


if __name__ == "__main__":
    main()
