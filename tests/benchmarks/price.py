"""Does the price hold? Twenty random plans, each priced after one probe of its programs, against their wall-clock.

    python tests/benchmarks/price.py [PLANS [SEED]]    # prints a line a plan and writes analysis/benchmarks/price.json

Each plan is a study of random size (arms, seeds, epochs) of a random method, program and dataset, run by the real
runner through Ray Tune on two warm workers; each has a results folder of its own, so that nothing is learnt from those
before it: the probe is all that the price knows. The constants of the price were set while looking at the plans of the
first seed; those of another one (written to price_SEED.json) are new to it. Start-up of Ray is priced apart, and told.
Other programs on the machine disturb the figures; the load is noted.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from orchestrator.designs.one_factor import one_factor
from orchestrator.executors.ray_tune import RayTuneExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.price.demand import demand
from orchestrator.price.knowledge import knowledge
from orchestrator.price.price import price
from orchestrator.price.probing import probe
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study

FOLDER = Path(__file__).parents[2] / "analysis" / "benchmarks"
SEED = 2026
WORKERS = 2
PROGRAMS: list[tuple[str, dict[str, Any], dict[str, list[Any]]]] = [
    ("entropy", {}, {"fairness_weight": [10.0, 300.0]}),
    ("entropy", {}, {"loss": ["forward"], "fairness_weight": [10.0]}),
    ("hard_regularization", {"network": "linear"}, {"lr": [3e-4, 3e-3]}),
    ("hard_regularization", {"network": "mlp", "width": 64, "output_dim": 10}, {"lr": [3e-4, 3e-3]}),
    ("kmeans", {}, {"n_init": [2, 5]}),
]
SECONDS = (2.0, 40.0)
"""Plans are made to span this much of the work of one core, by a crude guess that nothing else uses."""
GUESS = {"digits": 0.012, "mnist_5k": 0.06, "gaussians": 0.01}


def study_of(rng: random.Random, number: int, n_plans: int) -> Study:
    """Return a random study; sizes are spread evenly over the logarithm of the work."""
    method, base, factors = PROGRAMS[number % len(PROGRAMS)]
    dataset = rng.choice(["digits", "mnist_5k"])
    low, high = SECONDS
    work = low * (high / low) ** ((number + rng.random()) / n_plans)
    n_epochs = rng.choice([5, 10, 20]) if method != "kmeans" else 1
    n_arms = 1 + sum(map(len, factors.values()))
    each = GUESS[dataset] * n_epochs if method != "kmeans" else 6 * GUESS[dataset]
    seeds = max(2, round(work / (n_arms * each)))
    return Study(
        name=f"plan{number}",
        question="what does it cost?",
        design=one_factor(method, factors, base=base),
        datasets=(dataset,),
        n_epochs=n_epochs,
        seeds=seeds,
        exploratory=True,
    )


def row(study: Study, executor: Any) -> dict[str, Any]:
    """Probe, price and run one plan."""
    catalogue = Catalogue()
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder), writable=True) as ledger:
        began = time.perf_counter()
        plan = plan_of(study, catalogue)
        asked = demand(plan, ledger)
        probe(asked, ledger, executor, "cpu", every=True)
        probed = time.perf_counter()
        known = knowledge([study], catalogue, ledger)
        found = price(asked.waves, known, WORKERS, (0.0, 0.0, 0.0))
        runner = Runner(plan, ledger, RunOptions())
        started = time.perf_counter()
        executor.run(runner)
        wall = time.perf_counter() - started
        spent = float(ledger.trials()["cost.seconds"].sum())
    expected, low, high = found.wall_seconds
    return {
        "method": study.methods[0],
        "dataset": study.datasets[0],
        "n_epochs": study.n_epochs,
        "trials": found.n_trials,
        "bundles": found.n_bundles,
        "probe_seconds": round(probed - began, 3),
        "priced_wall": [round(value, 3) for value in (expected, low, high)],
        "wall": round(wall, 3),
        "priced_seconds": round(found.core_seconds, 3),
        "seconds": round(spent, 3),
        "inside": low <= wall <= high,
        "load": round(os.getloadavg()[0], 2),
    }


def main(n_plans: int, seed: int) -> None:
    """Run all plans in random order, print and write the figures."""
    rng = random.Random(seed)
    plans = [study_of(rng, number, n_plans) for number in range(n_plans)]
    rng.shuffle(plans)
    executor = RayTuneExecutor(max_concurrent=WORKERS)
    began = time.perf_counter()
    rows = []
    try:
        executor.start()
        executor.wait()
        row(study_of(random.Random(0), 0, n_plans), executor)  # workers are warm from here on
        start_up = time.perf_counter() - began
        for study in plans:
            rows.append(row(study, executor))
            print(rows[-1], flush=True)
    finally:
        executor.close()
    widths = [one["priced_wall"][2] / one["priced_wall"][1] for one in rows]
    walls = [one["wall"] for one in rows]
    result = {
        "command": f"python tests/benchmarks/price.py {n_plans} {seed}",
        "plans": len(rows),
        "inside": sum(one["inside"] for one in rows),
        "median_ratio_of_ends": round(statistics.median(widths), 3),
        "span_of_wall": round(max(walls) / min(walls), 1),
        "median_actual_over_expected": round(statistics.median(o["wall"] / o["priced_wall"][0] for o in rows), 3),
        "start_up_and_first_plan_seconds": round(start_up, 1),
        "cpu_count": os.cpu_count(),
        "rows": rows,
    }
    print({key: value for key, value in result.items() if key != "rows"})
    name = "price.json" if seed == SEED else f"price_{seed}.json"
    (FOLDER / name).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    main(*[*numbers, *(20, SEED)[len(numbers) :]])
