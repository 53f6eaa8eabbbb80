"""What checkpoints cost: seconds and bytes of one, and the part of a training's time that goes into them.

    python tests/benchmarks/checkpoints.py

Trains bundles of the methods as studies do, and writes a checkpoint after epochs of them. A bundle writes one a minute
(`RunOptions.checkpoint_seconds`), and after a slow one waits until it was worth its cost; so the share of a long
training is seconds / (60 + seconds), or less. Target: < 2 %. Writes analysis/benchmarks/checkpoints.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator import discovery
from orchestrator.knobs import canonical, knobs_of
from orchestrator.runner import RunOptions
from orchestrator.trial import Bundle, BundleTask, TrialSpec
from trainables import checkpoints, training

OUT = Path(__file__).parents[2] / "analysis/benchmarks/checkpoints.json"
EVERY = RunOptions().checkpoint_seconds
CASES: tuple[tuple[str, str, dict[str, Any], int], ...] = (
    ("entropy", "mnist_5k", {}, 64),
    ("hard_regularization", "digits", {}, 16),
    ("hard_regularization", "mnist_5k", {}, 16),
    ("secu", "mnist_5k", {}, 16),
    ("pipcdr", "mnist_5k", {}, 16),
    ("pipcdr", "mnist_5k", {}, 1),
)
"""Method, dataset, knobs, members."""


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    given = parser.parse_args()
    found = [_measured(*case, given.epochs) for case in CASES]
    content = {"seconds between checkpoints": EVERY, "date": f"{datetime.now(UTC):%Y-%m-%d}", "cases": found}
    OUT.write_text(json.dumps(content, indent=1) + "\n")
    print(json.dumps(content, indent=1))


def _measured(method: str, dataset: str, knobs: dict[str, Any], members: int, n_epochs: int) -> dict[str, Any]:
    found = discovery.method(method)
    data = discovery.load_dataset(dataset, "whole")
    specs = [
        TrialSpec(
            method=method,
            method_version=found.version,
            config=canonical(knobs_of(found.Config), knobs),
            dataset=dataset,
            dataset_digest=data.digest,
            seed=seed,
            n_epochs=100,
        )
        for seed in range(members)
    ]
    costs, epochs = [], []
    with tempfile.TemporaryDirectory() as folder:
        task = BundleTask(bundle=Bundle(tuple(specs)), checkpoint_folder=folder, checkpoint_seconds=1e9)
        run = training._Run(found, task, data)
        for _ in range(n_epochs):
            epochs.append(_seconds(run.advance))
            assert run.groups and not run.outcomes
            costs.append(_seconds(run.save))
        size = (Path(folder) / checkpoints.FILE).stat().st_size
    cost = statistics.median(costs)
    share = min(cost / (EVERY + cost), training.SAVING_SHARE)
    assert share < 0.02, "checkpoints cost too much"
    return {
        "case": f"{method} on {dataset}, {members} members" + "".join(f", {k} {v}" for k, v in knobs.items()),
        "seconds an epoch": round(statistics.median(epochs), 3),
        "seconds a checkpoint": round(cost, 4),
        "MB": round(size / 1e6, 2),
        "part of the time": f"{share:.3%}",
    }


def _seconds(call: Any) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
