"""What a solver of pseudo-labels costs in training, over numbers of clusters and of points, as a ratio to EM.

    python tests/benchmarks/solver_law.py    # prints the table and writes analysis/benchmarks/solver_law.json

Trainings of entropy clustering as in `which_solver_over_clusters_and_points` (eight members, 25 epochs, batches of
250), one torch thread. Time is CPU time of this process; solvers take turns in three rounds, and a figure is the median
of a round's ratios. All three train other clusters from the second batch on, so each solves the problems that it made.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from orchestrator import discovery
from orchestrator.knobs import configured
from orchestrator.provenance import machine
from trainables.methods.entropy import EntropyClustering, EntropyConfig

TARGET = Path(__file__).parents[2] / "analysis" / "benchmarks" / "solver_law.json"
SIZES = ((5, 2000), (20, 2000), (100, 2000), (20, 500), (20, 8000))
"""Clusters and points."""
SOLVERS = ("em", "mirror_descent", "newton")
MEMBERS, EPOCHS, ROUNDS = 8, 25, 3


def cpu_seconds(solver: str, data: Any) -> float:
    """Return what one training of all members takes, its start left out."""
    config = configured(EntropyConfig, {"lr": 5.0, "solver": solver}, EPOCHS, "entropy")
    trained = EntropyClustering([config] * MEMBERS, list(range(MEMBERS)), data, torch.device("cpu"))
    start = time.process_time()
    for _ in range(EPOCHS):
        trained.fit_epoch()
    return time.process_time() - start


def row(clusters: int, points: int) -> dict[str, Any]:
    """Return CPU seconds a member of each solver, and its ratio to EM, at one size."""
    data = discovery.load_dataset(f"fashion_mnist:subset={points},clusters={clusters},pca=64", "whole")
    for solver in SOLVERS:
        cpu_seconds(solver, data)
    taken = [{solver: cpu_seconds(solver, data) for solver in SOLVERS} for _ in range(ROUNDS)]
    found: dict[str, Any] = {"clusters": clusters, "points": points}
    for solver in SOLVERS:
        ratios = [one[solver] / one["em"] for one in taken]
        seconds = statistics.median(one[solver] for one in taken) / MEMBERS
        found[solver] = {"seconds": seconds, "ratio": statistics.median(ratios), "least": min(ratios)}
    return found


def main() -> None:
    """Measure, print and write."""
    torch.set_num_threads(1)
    rows = [row(clusters, points) for clusters, points in SIZES]
    for found in rows:
        ratios = ", ".join(f"{name} {found[name]['ratio']:.1f} times EM" for name in SOLVERS[1:])
        print(
            f"{found['clusters']:>4} clusters, {found['points']:>5} points: EM {found['em']['seconds']:.3f} s; {ratios}"
        )
    facts = {name: fact for name, fact in machine().items() if name != "host"}
    TARGET.write_text(json.dumps({"machine": facts, "load": os.getloadavg()[0], "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
