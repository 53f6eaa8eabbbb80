"""Is the first price right? Small studies of several kinds, data and sizes, each in an empty folder and a new process.

`python tests/benchmarks/first_runs.py --out analysis/benchmarks/first_runs.json [NUMBERS OF STUDIES]`

Each is `orchestrate run STUDY --no-report`; its record says what it was priced before its first trial and what it took.
What other programs take of the machine meanwhile disturbs both: the load is noted.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

STUDY = '''"""What does a first run cost?"""
from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study

STUDY = Study(
    question="What does a first run cost?",
    design=one_factor({method!r}, {factors!r}, base={base!r}),
    datasets=({data!r},),
    seeds={seeds},
    n_epochs={n_epochs},
    exploratory=True,
)
'''

MLP = {"network": "mlp", "width": 64, "output_dim": 10}
STUDIES: list[dict[str, Any]] = [
    {"method": "kmeans", "factors": {"n_init": [10]}, "base": {"n_init": 1}, "data": "digits", "seeds": 20},
    {"method": "kmeans", "factors": {"n_init": [4]}, "base": {"n_init": 2}, "data": "mnist_5k", "seeds": 10},
    {"method": "entropy", "factors": {"fairness_weight": [10.0, 300.0]}, "data": "digits", "seeds": 30, "n_epochs": 10},
    {"method": "entropy", "factors": {"fairness_weight": [10.0]}, "data": "mnist_5k", "seeds": 20, "n_epochs": 20},
    {"method": "entropy", "factors": {"loss": ["forward"]}, "data": "gaussians", "seeds": 12, "n_epochs": 20},
    {
        "method": "hard_regularization",
        "factors": {"lr": [3e-4, 3e-3]},
        "base": {"network": "linear"},
        "data": "mnist_5k:subset=2000",
        "seeds": 12,
        "n_epochs": 10,
    },
    {
        "method": "hard_regularization",
        "factors": {"lr": [3e-4]},
        "base": MLP,
        "data": "digits",
        "seeds": 16,
        "n_epochs": 10,
    },
    {
        "method": "hard_regularization",
        "factors": {"lr": [3e-3]},
        "base": MLP,
        "data": "mnist_5k",
        "seeds": 6,
        "n_epochs": 6,
    },
    {
        "method": "pipcdr",
        "factors": {"lr": [0.1]},
        "base": {"encoder_width": 64},
        "data": "digits",
        "seeds": 6,
        "n_epochs": 5,
    },
    {
        "method": "pipcdr",
        "factors": {"lr": [0.1]},
        "base": {"network": "linear"},
        "data": "gaussians",
        "seeds": 8,
        "n_epochs": 6,
    },
    {
        "method": "secu",
        "factors": {"lr": [0.05]},
        "base": {"network": "mlp"},
        "data": "digits",
        "seeds": 8,
        "n_epochs": 6,
    },
    {
        "method": "secu",
        "factors": {"lr": [0.05]},
        "base": {"network": "linear"},
        "data": "digits:subset=600",
        "seeds": 16,
        "n_epochs": 10,
    },
]


def first_run(one: dict[str, Any]) -> dict[str, Any]:
    """Run a study in an empty folder; return what it was priced and what it took.

    Raises:
        RuntimeError: it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "first.py")
        path.write_text(STUDY.format(**{"base": {}, "n_epochs": 1, **one}))
        command = [
            sys.executable,
            "-m",
            "orchestrator",
            "run",
            str(path),
            "--no-report",
            "--results",
            f"{folder}/results",
        ]
        load = os.getloadavg()[0]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{one}: {done.stderr[-2000:]}")
        (record,) = Path(folder, "results", "studies").glob("*/study.json")
        (run,) = json.loads(record.read_text())["runs"]
    expected, low, high = run["priced"]["wall_seconds"] if run["priced"] else [float("nan")] * 3
    return {
        **one,
        "trials": run["trials"],
        "priced": [round(value, 2) for value in (expected, low, high)],
        "took": round(run["wall_seconds"], 2),
        "inside": low <= run["wall_seconds"] <= high,
        "ratio_of_ends": round(high / low, 2),
        "load": round(load, 2),
    }


def main() -> None:
    """Run, print and write after each, so that what is cut short leaves what it has."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("which", nargs="*", type=int, default=list(range(len(STUDIES))))
    parser.add_argument("--out", type=Path, required=True, help="a JSON file")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for number in options.which:
        rows.append(first_run(STUDIES[number]))
        print(rows[-1], flush=True)
        found = {
            "studies": len(rows),
            "inside": sum(row["inside"] for row in rows),
            "median_ratio_of_ends": statistics.median(row["ratio_of_ends"] for row in rows),
            "rows": rows,
        }
        options.out.write_text(json.dumps(found, indent=1) + "\n")
    print({key: value for key, value in found.items() if key != "rows"})


if __name__ == "__main__":
    main()
