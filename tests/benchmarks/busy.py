"""Are a thousand workers kept busy? Bundles of 30 s on a simulated clock, handed out by the real runner and ledger.

    python tests/benchmarks/busy.py           # prints a line a study, writes analysis/benchmarks/busy.json
    python tests/benchmarks/busy.py --beside PYTHON CHECKOUT     # two studies in turn with another commit, three times

Nothing is trained: a bundle ends 30 s after it was handed out, and the driver's own time for sampling, bookkeeping and
the ledger (on disk) is what the workers wait for; it has one thread, so events queue. `busy` is a bundle's 30 s over
30 s plus the mean time from a worker's end to its next bundle; `busy_later` leaves out the first end of each worker,
since all thousand come within half a second there and spread out by that; `busy_with_ends` is the training time over
workers times makespan, so it also counts the first handing out and the last ends. Searches have a thousand
configurations under way, in rounds of 20 with 49 rounds ahead or all in one round; or more than there are workers (400
or 1,000), so that a bundle waits for a worker and not the other way round. While no worker calls, the driver asks for
what comes next, as it does between the calls of Ray Tune.

The driver's time is its CPU time, which waits for the disk are no part of; other programs on the machine lengthen even
that (the load is noted).
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from orchestrator.designs.grid import grid
from orchestrator.designs.search import search
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run import gathering
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study
from orchestrator.trial import Bundle, Report, TrialOutcome, TrialState

TARGET = Path(__file__).parents[2] / "analysis" / "benchmarks" / "busy.json"
PLUGIN = (str(Path(__file__).parent / "plugin"),)
WORKERS, SECONDS = 1_000, 30.0
IDLE_SECONDS = 1e-4
"""A call that takes less found nothing to do."""
KNOBS = ("learning_rate", "fairness_weight", "norm_weight")


def finite() -> Study:
    """4,000 trials of a grid: no sampling."""
    levels = {"learning_rate": [0.1 * i for i in range(1, 11)], "fairness_weight": [float(i) for i in range(1, 11)]}
    return _study("finite", grid("nothing", levels), 40)


def searched(sampler: str, round_size: int, asked: int = WORKERS) -> Study:
    """4,000 configurations, one seed each; `asked` of them are asked for before the first is told."""
    size = {"n_configurations": 4 * WORKERS, "round_size": round_size, "n_seeds": 1}
    found = search("nothing", KNOBS, sampler=sampler, rounds_ahead=asked // round_size - 1, **size)
    return _study(f"{sampler}_in_rounds_of_{round_size}_{asked}_asked", found, 2)


def _study(name: str, design: Any, seeds: int) -> Study:
    return Study(
        name=name, question="busy?", design=design, datasets=("point",), seeds=seeds, n_epochs=1, exploratory=True
    )


def report_of(bundle: Bundle) -> Report:
    """Return what a worker would say of a bundle."""
    scores = [float(sum(map(float, spec.config.values())) % 1.0) for spec in bundle.specs]
    metrics = [{"neighbour_mi": score, "nmi": score} for score in scores]
    rows = pa.table(
        {
            "trial_id": [spec.trial_id for spec in bundle.specs],
            "attempt": [bundle.attempt(member) for member in range(len(bundle))],
            "epoch": [1] * len(bundle),
            "seconds": [SECONDS] * len(bundle),
            "metric.neighbour_mi": scores,
            "metric.nmi": scores,
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    outcomes = tuple(
        TrialOutcome(
            spec=spec,
            attempt=bundle.attempt(member),
            state=TrialState.COMPLETE,
            metrics=metrics[member],
            cost={"seconds": SECONDS},
            facts={"bundle_id": bundle.bundle_id, "bundle_size": len(bundle)},
        )
        for member, spec in enumerate(bundle.specs)
    )
    return Report(rows=sink.getvalue().to_pybytes(), outcomes=outcomes, finished=True)


def simulated(study: Study, tick: Callable[[], float] = time.process_time) -> dict[str, Any]:
    """Run one study on the simulated clock."""
    now, driver, trained = 0.0, 0.0, 0
    gathering.clock = lambda: now  # reports wait for one another by this clock
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder), writable=True) as ledger:
        runner = Runner(plan_of(study, Catalogue(PLUGIN)), ledger, RunOptions(plugins=PLUGIN))
        ends: list[tuple[float, int, Bundle]] = []
        free: deque[float] = deque()
        waits: list[float] = []
        while True:
            while len(ends) < WORKERS:
                began = tick()
                task = runner.next_task()
                spent = tick() - began
                now, driver = now + spent, driver + spent
                if task is None:
                    break
                if free:
                    waits.append(now - free.popleft())
                heapq.heappush(ends, (now + SECONDS, trained, task.bundle))
                trained += 1
            while ends and now < ends[0][0]:  # no worker calls: the driver uses the moment
                began = tick()
                runner.prepare()
                spent = tick() - began
                now, driver = now + spent, driver + spent
                if spent < IDLE_SECONDS:  # nothing to prepare
                    break
            if not ends:
                if runner.finished:  # takes the reports that waited for one another
                    break
                continue
            end, _, bundle = heapq.heappop(ends)
            free.append(end)
            said = report_of(bundle)  # a worker's time, not the driver's
            began = tick()
            runner.report(bundle, said)
            spent = tick() - began
            now, driver = max(now, end) + spent, driver + spent
    return {
        "study": study.name,
        "bundles": trained,
        "busy": round(SECONDS / (SECONDS + statistics.mean(waits)), 4),
        "busy_later": round(SECONDS / (SECONDS + statistics.mean(waits[WORKERS:])), 4),
        "busy_with_ends": round(trained * SECONDS / (WORKERS * now), 4),
        "driver_ms_a_bundle": round(1e3 * driver / trained, 3),
        "load": round(os.getloadavg()[0], 1),
    }


def of_another_commit(python: str, checkout: Path, made: str) -> dict[str, Any]:
    """Run one study with the code of another checkout, whose Python is given."""
    code = f"import busy, json; print(json.dumps(busy.simulated(busy.{made})))"
    place = Path(checkout, "tests", "benchmarks")
    found = subprocess.run([python, "-c", code], cwd=place, check=True, capture_output=True, text=True)
    row: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return row


def beside(python: str, checkout: Path) -> dict[str, Any]:
    """Run the studies that are kept to a bound, in turn with another commit; of three rounds the medians count."""
    commit = subprocess.run(["git", "-C", checkout, "rev-parse", "--short=7", "HEAD"], check=True, capture_output=True)
    here, rows = Path(__file__).parents[2], []
    for made in ("finite()", "searched('tpe', 20, 2000)"):
        rounds = [
            (of_another_commit(python, checkout, made), of_another_commit(sys.executable, here, made)) for _ in "123"
        ]
        figures = {
            name: [statistics.median(pair[place][name] for pair in rounds) for place in (0, 1)]
            for name in ("busy", "driver_ms_a_bundle", "load")
        }
        rows.append({"study": rounds[0][1]["study"], **figures})
        print(rows[-1], flush=True)
    return {"commit": commit.stdout.decode().strip(), "each": ["that commit", "this one"], "rows": rows}


def main() -> None:
    """Simulate every study, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beside", nargs=2, metavar=("PYTHON", "CHECKOUT"))
    asked = parser.parse_args()
    result: dict[str, Any] = {"command": "python tests/benchmarks/busy.py", "workers": WORKERS, "seconds": SECONDS}
    if asked.beside:
        result["beside"] = beside(asked.beside[0], Path(asked.beside[1]))
    result["rows"] = []
    searches = (("tpe", 20, 2000), ("tpe", 20, 1400), ("tpe", 20), ("random", 20), ("tpe", WORKERS))
    for study in (finite(), *(searched(*one) for one in searches)):
        result["rows"].append(simulated(study))
        print(result["rows"][-1], flush=True)
        TARGET.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
