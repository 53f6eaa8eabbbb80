"""How much of the quickstart is training? On `digits` alone, from the command to the report and its notebook.

    python tests/benchmarks/quickstart.py [REPEATS]      # writes analysis/benchmarks/quickstart.json

Start-up ends when the first trial begins. From there to the end of the command, training is the time in which at least
one worker trains a bundle of the study (by the rows' started_at and finished_at); beside it stand the mean share of the
two workers that train, and the parts before and after.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds

from orchestrator.provenance import machine

TARGET = Path(__file__).parents[2] / "analysis" / "benchmarks" / "quickstart.json"
WORKERS = 2


def once() -> dict[str, Any]:
    """Run the command in a fresh process and an empty folder; return where its time went."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "orchestrator", "run", "quickstart", "--set", "dataset=digits"]
        began = time.time()
        subprocess.run([*command, "--results", folder], check=True, stdout=subprocess.DEVNULL)
        ended = time.time()
        rows = ds.dataset(Path(folder, "trials")).to_table().to_pandas()
    bundles = rows.groupby("bundle_id").agg(start=("started_at", "min"), end=("finished_at", "max"))
    spans = [(start.timestamp(), end.timestamp()) for start, end in zip(bundles["start"], bundles["end"], strict=True)]
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    return {
        "wall": round(ended - began, 2),
        "start_up": round(first - began, 2),
        "training": round(covered(spans), 2),
        "after_training": round(ended - last, 2),
        "share_training": round(covered(spans) / (ended - first), 3),
        "share_of_workers": round(sum(end - start for start, end in spans) / WORKERS / (ended - first), 3),
        "trials": len(rows),
    }


def covered(spans: list[tuple[float, float]]) -> float:
    """Return the length of the union of intervals."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def main(repeats: int) -> None:
    """Print each repeat, and write all with the median share."""
    before = os.getloadavg()
    found = []
    for _ in range(repeats):
        found.append(once())
        print(found[-1], flush=True)
    result = {
        "command": "python tests/benchmarks/quickstart.py",
        "machine": machine(),
        "load_before": before,
        "median_share_training": statistics.median(one["share_training"] for one in found),
        "median_share_of_workers": statistics.median(one["share_of_workers"] for one in found),
        "repeats": found,
    }
    TARGET.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
