"""What checkpoints cost: seconds and bytes of one, and the part of a training's time that goes into them.

    python tests/benchmarks/checkpoints.py

Trains an epoch of bundles of the methods, as studies do, and writes checkpoints of them. A bundle writes one a minute
(`RunOptions.checkpoint_seconds`); so the share of a long training is seconds / (60 + seconds). Target: < 2 %. (After
one that costs more than `training.SAVING_SHARE` of a minute a bundle waits longer; that is not counted here.)

Writes analysis/benchmarks/checkpoints.json.
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
from orchestrator.run.runner import RunOptions
from orchestrator.trial import Bundle, BundleTask, TrialSpec
from trainables.training import checkpoints, resumption
from trainables.training.bundle_training import BundleTraining

OUT = Path(__file__).parents[2] / "analysis/benchmarks/checkpoints.json"
EVERY = RunOptions().checkpoint_seconds
CASES: tuple[tuple[str, str, dict[str, Any], int], ...] = (
    ("entropy", "mnist_5k", {}, 64),
    ("hard_regularization", "digits", {}, 16),
    ("secu", "digits", {}, 4),
    ("pipcdr", "digits", {}, 4),
)
"""Method, dataset, knobs, members."""


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=5, help="checkpoints of each case; the median counts")
    given = parser.parse_args()
    found = [_measured(*case, given.saves) for case in CASES]
    content = {"seconds between checkpoints": EVERY, "date": f"{datetime.now(UTC):%Y-%m-%d}", "cases": found}
    OUT.write_text(json.dumps(content, indent=1) + "\n")
    print(json.dumps(content, indent=1))


def _measured(method: str, dataset: str, knobs: dict[str, Any], members: int, n_saves: int) -> dict[str, Any]:
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
    with tempfile.TemporaryDirectory() as folder:
        task = BundleTask(bundle=Bundle(tuple(specs)), checkpoint_folder=folder, checkpoint_seconds=1e9)
        run = BundleTraining(found, task, data)
        epoch = _seconds(run.advance)  # then optimisers and queues have state
        assert run.groups
        assert not run.outcomes
        costs = [_seconds(lambda: resumption.save(run)) for _ in range(n_saves)]
        size = checkpoints.files(Path(folder))[0].stat().st_size
    cost = statistics.median(costs)
    share = cost / (EVERY + cost)
    assert share < 0.02, "checkpoints cost too much"
    return {
        "case": f"{method} on {dataset}, {members} members" + "".join(f", {k} {v}" for k, v in knobs.items()),
        "CPU seconds an epoch": round(epoch, 3),
        "CPU seconds a checkpoint": round(cost, 4),
        "MB": round(size / 1e6, 2),
        "part of the time": f"{share:.3%}",
    }


def _seconds(call: Any) -> float:
    """Return the CPU seconds of a call, which a busy machine leaves as they are; waiting for a disk is none of them."""
    began = time.process_time()
    call()
    return time.process_time() - began


if __name__ == "__main__":
    main()
