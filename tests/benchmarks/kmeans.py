"""How fast k-means is: our solver against scikit-learn's lloyd and elkan, same starts, same stopping rule, one core.

    python tests/benchmarks/kmeans.py [DATASET] [SEEDS] [RESTARTS]    # writes analysis/benchmarks/kmeans.json

DATASET is `mnist` or `fashion_mnist` (70,000 x 784; the data page says how to bring them) or any other reference; 6
seeds of 10 restarts unless said. Times are CPU seconds, rivals one after another within each seed. Making the points
ready is in ours. `fit` is the whole of the method: starts by k-means++ and restarts, the best one kept.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from orchestrator import discovery
from orchestrator.provenance import machine, versions
from trainables.assignment.kmeans.bounds import Fitted, best_of
from trainables.assignment.kmeans.points import Points
from trainables.assignment.kmeans.starts import starts_of

TARGET = Path(__file__).parents[2] / "analysis" / "benchmarks" / "kmeans.json"
RIVALS = ("lloyd", "elkan")


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ours(rows: torch.Tensor, starts: torch.Tensor) -> list[Fitted]:
    """Every restart by itself, so that each can be compared; points are made ready once."""
    points = Points.of(rows)
    return [best_of(points, one[None]) for one in starts]


def compared(rows: torch.Tensor, starts: torch.Tensor) -> dict[str, Any]:
    """Restarts from the same starts by all three."""
    began = time.process_time()
    mine = ours(rows, starts)
    seconds = {"ours": time.process_time() - began}
    worst, iterations = 0.0, {"ours": sum(run.iterations for run in mine)}
    for rival in RIVALS:
        began = time.process_time()
        theirs = [KMeans(len(one), init=one.numpy(), n_init=1, algorithm=rival).fit(rows.numpy()) for one in starts]
        seconds[rival] = time.process_time() - began
        iterations[rival] = sum(run.n_iter_ for run in theirs)
        for one, other in zip(mine, theirs, strict=True):
            worst = max(worst, abs(one.inertia / float(other.inertia_) - 1.0))
    return {"seconds": seconds, "iterations": iterations, "largest_difference_of_inertia": worst}


def fitted(rows: torch.Tensor, n_clusters: int, seed: int, n_restarts: int) -> dict[str, float]:
    """The whole of a fit, from the data to the best of the restarts, starts included."""
    began = time.process_time()
    points = Points.of(rows)
    best_of(points, starts_of("k-means++", points, n_clusters, n_restarts, generator(seed)))
    middle = time.process_time()
    KMeans(n_clusters, n_init=n_restarts, random_state=seed).fit(rows.numpy())
    return {"ours": middle - began, "scikit-learn": time.process_time() - middle}


def main(reference: str = "mnist", seeds: int = 6, restarts: int = 10) -> None:
    """Compare, print, and write the figures."""
    torch.set_num_threads(1)
    data = discovery.load_dataset(reference, "whole")
    rows, k = data.vectors, data.n_classes
    with threadpool_limits(1):
        points = Points.of(rows)
        starts = [starts_of("k-means++", points, k, restarts, generator(seed)) for seed in range(seeds)]
        found = [compared(rows, each) for each in starts]
        fits = [fitted(rows, k, seed, restarts) for seed in range(min(seeds, 2))]
    total = {name: sum(one["seconds"][name] for one in found) for name in ("ours", *RIVALS)}
    result = {
        "dataset": reference,
        "shape": list(rows.shape),
        "clusters": k,
        "restarts": seeds * restarts,
        "cpu_seconds_a_restart": {name: value / (seeds * restarts) for name, value in total.items()},
        "times_faster_than": {name: total[name] / total["ours"] for name in RIVALS},
        "times_faster_by_seed": {
            name: [one["seconds"][name] / one["seconds"]["ours"] for one in found] for name in RIVALS
        },
        "iterations": {name: sum(one["iterations"][name] for one in found) for name in total},
        "largest_difference_of_inertia": max(one["largest_difference_of_inertia"] for one in found),
        "fit": {name: float(np.mean([one[name] for one in fits])) for name in fits[0]},
        "machine": machine()["processor"],
        "versions": versions(),
    }
    known = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    TARGET.write_text(json.dumps(known | {reference: result}, indent=1, sort_keys=True) + "\n")
    print(json.dumps(result, indent=1, sort_keys=True))


if __name__ == "__main__":
    words = sys.argv[1:]
    main(*words[:1], *(int(word) for word in words[1:]))
