"""How time and gap of greedy assignment grow with batch and clusters, beside the exact optimum, as power laws.

    python tests/benchmarks/greedy_law.py    # writes analysis/benchmarks/greedy_law.json

One torch thread; CPU seconds, the least of several rounds, both interleaved.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from assignment import batch_costs, rounds

from trainables.assignment.exact_hard import exact_hard
from trainables.assignment.greedy_hard import greedy_hard
from trainables.assignment.hard_labels import hard_objective

TARGET = Path(__file__).parents[2] / "analysis" / "benchmarks" / "greedy_law.json"


def row(points: int, classes: int) -> dict[str, Any]:
    """Return CPU seconds of both solvers on a batch, and by how much a point greedy misses the optimum."""
    cost = batch_costs(points, classes)
    found = rounds({"greedy": lambda: greedy_hard(cost), "exact": lambda: exact_hard(cost)}, 5)
    gap = float(hard_objective(cost, greedy_hard(cost)) - hard_objective(cost, exact_hard(cost)))
    times = {name: found[name]["seconds"] for name in found}
    return {"points": points, "classes": classes, **times, "gap_per_point": gap / points}


def law(rows: list[dict[str, Any]], what: str) -> dict[str, float]:
    """Return the power law `factor * points^a * classes^b` closest to a column in logarithms, and its R^2."""
    x = np.array([[1.0, math.log(row["points"]), math.log(row["classes"])] for row in rows])
    y = np.log([row[what] for row in rows])
    answer = np.linalg.lstsq(x, y, rcond=None)[0]
    missed = ((y - x @ answer) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    return {"factor": math.exp(answer[0]), "points": answer[1], "classes": answer[2], "r_squared": 1 - missed}


def main() -> None:
    """Measure, print and write."""
    torch.set_num_threads(1)
    rows = [row(points, classes) for points in (64, 128, 256, 512, 1024) for classes in (5, 10, 20, 50)]
    laws = {what: law(rows, what) for what in ("greedy", "exact", "gap_per_point")}
    for what, found in laws.items():
        print(what, {name: round(value, 6) for name, value in found.items()})
    TARGET.write_text(json.dumps({"load": os.getloadavg()[0], "laws": laws, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
