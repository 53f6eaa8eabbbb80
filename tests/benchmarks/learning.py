"""Do the methods learn? Digits (1,797 images of 8 x 8), ten seeds, CPU: above a rival, or collapsed where theory says.

    python tests/benchmarks/learning.py [CLAIM ...]    # prints a line a claim, writes analysis/benchmarks/learning.json

Settings are for small data, as far as the papers' are not: networks, rates and views were chosen on these digits by
NMI, with these or other seeds, so the intervals say that the methods can learn here, not how well they generalise.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from scipy import stats

from orchestrator import discovery
from orchestrator.knobs import configured
from trainables.datasets import digits
from trainables.method import Row

TARGET = Path(__file__).parents[2] / "analysis" / "benchmarks" / "learning.json"

SMALL_DATA: dict[str, dict[str, Any]] = {
    "secu": {
        "network": "mlp",
        "encoder_width": 128,
        "head_width": 128,
        "output_dim": 64,
        "output_norm": True,
        "view": "affine",
        "batch_size": 64,
        "heads": 3,
        "temperature": 0.25,
        "centre_temperature": 0.7,
        "dual_lr": 0.8,
        "lr": 0.1,
        "centre_lr": 0.3,
        "warmup_epochs": 3,
        "weight_decay": 5e-3,
    },
    "pipcdr": {
        "network": "mlp",
        "encoder_width": 128,
        "head_width": 128,
        "output_dim": 64,
        "view": "affine",
        "batch_size": 128,
        "ema": 0.95,
        "lr": 0.2,
        "cdr_weight": 0.3,
        "kmeans_restarts": 3,
        "weight_decay": 5e-3,
    },
    "entropy": {
        "network": "mlp",
        "hidden_width": 128,
        "optimiser": "adam",
        "lr": 5e-3,
        "batch_size": 128,
        "view": "affine",
        "view_weight": 2.0,
    },
    "hard_regularization": {
        "network": "mlp",
        "view": "affine",
        "label_from": "original",
        "lr": 3e-3,
    },
}


@dataclass(frozen=True)
class Claim:
    """One arm on some seeds, against an arm of the same seeds (`rival`), or for whether it collapses.

    Attributes:
        method: name.
        knobs: values of the arm.
        n_epochs: budget.
        rival: method and values of the arm to beat in NMI, with its budget; None where there is none.
        collapses: what the collapse flag must be on every seed.
        seeds: number of seeds, fewer where an arm is dear.
    """

    method: str
    knobs: dict[str, Any]
    n_epochs: int
    rival: tuple[str, dict[str, Any], int] | None = None
    collapses: bool = False
    seeds: int = 10


KMEANS: tuple[str, dict[str, Any], int] = ("kmeans", {}, 1)


def small(method: str, **knobs: Any) -> dict[str, Any]:
    """Return the settings for small data with some values changed."""
    return SMALL_DATA[method] | knobs


CLAIMS: dict[str, Claim] = {
    "secu above k-means": Claim("secu", small("secu"), 60, KMEANS),
    "pipcdr above its BYOL arm": Claim("pipcdr", small("pipcdr"), 60, ("pipcdr", small("pipcdr", terms="byol"), 60)),
    "entropy above k-means": Claim("entropy", small("entropy"), 30, KMEANS),
    "entropy by EM above entropy by Newton": Claim(
        "entropy", small("entropy"), 30, ("entropy", small("entropy", solver="newton", solver_tolerance=1e-4), 30)
    ),
    "hard_regularization above k-means": Claim("hard_regularization", small("hard_regularization"), 30, KMEANS),
    "entropy at its defaults": Claim("entropy", {}, 10),
    "hard_regularization at its defaults": Claim("hard_regularization", {}, 10),
    "secu at its defaults": Claim("secu", {}, 60, seeds=4),
    "pipcdr at its defaults": Claim("pipcdr", {}, 5, seeds=4),
    "entropy without fairness": Claim("entropy", small("entropy", fairness="none"), 30, collapses=True),
    "hard_regularization without a price": Claim(
        "hard_regularization", small("hard_regularization", solver="none"), 30, collapses=True
    ),
    "secu without a constraint": Claim("secu", {"constraint": "none"}, 10, collapses=True),
    "secu without a constraint, outputs normalised": Claim("secu", small("secu", constraint="none"), 60),
}
"""Name -> claim. The last is no claim of theory: batch norm of the outputs keeps clusters apart by itself."""


@dataclass(frozen=True)
class Measured:
    """What came out: NMI in points, the paired interval (Student, 95 %), collapsed seeds, CPU seconds."""

    seeds: int
    nmi: float
    collapsed: int
    cpu_seconds: float
    effective_clusters: float
    rival_nmi: float | None = None
    difference: float | None = None
    interval: tuple[float, float] | None = None


def last_rows(seeds: int, method: str, knobs: dict[str, Any], n_epochs: int) -> list[Row]:
    """Train one arm on seeds 0, 1, ... in one bundle."""
    torch.set_num_threads(1)
    found = discovery.method(method)
    config = configured(found.Config, knobs, n_epochs, method)
    trained = found([config] * seeds, range(seeds), digits.load(), torch.device("cpu"))
    for _ in range(n_epochs):
        trained.fit_epoch()
    rows: list[Row] = trained.evaluate(False)
    return rows


@cache
def kmeans_rows(seeds: int) -> tuple[Row, ...]:
    """Return k-means on the pixels, ten restarts, for each seed."""
    return tuple(last_rows(seeds, *KMEANS))


def measured(claim: Claim) -> Measured:
    """Train the arm and its rival."""
    begin = time.process_time()
    rows = last_rows(claim.seeds, claim.method, claim.knobs, claim.n_epochs)
    scores = [100 * row["metric.nmi"] for row in rows]
    facts: dict[str, Any] = {
        "seeds": claim.seeds,
        "nmi": sum(scores) / len(scores),
        "collapsed": int(sum(row["metric.collapsed"] for row in rows)),
        "effective_clusters": sum(row["metric.effective_clusters"] for row in rows) / len(rows),
    }
    if claim.rival is not None:
        others = kmeans_rows(claim.seeds) if claim.rival == KMEANS else last_rows(claim.seeds, *claim.rival)
        rivals = [100 * row["metric.nmi"] for row in others]
        differences = [one - other for one, other in zip(scores, rivals, strict=True)]
        ends = stats.ttest_1samp(differences, 0.0).confidence_interval(0.95)
        facts |= {
            "rival_nmi": sum(rivals) / len(rivals),
            "difference": sum(differences) / len(differences),
            "interval": (float(ends.low), float(ends.high)),
        }
    return Measured(cpu_seconds=time.process_time() - begin, **facts)


def main(names: list[str]) -> None:
    """Measure the named claims, or all, and write them beside those measured before."""
    unknown = [name for name in names if name not in CLAIMS]
    if unknown:
        raise SystemExit(f"no claim {unknown[0]!r}; there are: {', '.join(CLAIMS)}")
    kept = json.loads(TARGET.read_text()) if TARGET.is_file() else {}
    for name in names or CLAIMS:
        claim = CLAIMS[name]
        found = measured(claim)
        kept[name] = {"method": claim.method, "knobs": claim.knobs, "n_epochs": claim.n_epochs} | vars(found)
        print(f"{name}: {found}", flush=True)
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(json.dumps({known: kept[known] for known in CLAIMS if known in kept}, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
