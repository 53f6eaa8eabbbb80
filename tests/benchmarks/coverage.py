"""Simulated coverage of the 95 % intervals a verdict may show, where no theorem promises it.

    python tests/benchmarks/coverage.py            # prints the table and writes analysis/benchmarks/coverage.json

The sign-flip interval is exact for symmetric paired differences; skewed ones and collapses in one arm only are not
symmetric.  The paired t interval stands beside it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from scipy import stats

from orchestrator.inference.sign_flip import sign_flip_p

SEED = 20_240_401
N_PAIRS = (6, 10, 20)
N_STUDIES = {6: 20_000, 10: 20_000, 20: 10_000}
TARGET = Path(__file__).parents[2] / "analysis" / "benchmarks" / "coverage.json"


def collapses(rate_of_arm: float, rate_of_baseline: float):
    """Differences of 0.6 +- 0.04 accuracies of which some collapse to 0.2, and their true mean."""

    def draw(random, shape):
        arm, baseline = (
            np.where(random.random(shape) < rate, 0.2, random.normal(0.6, 0.04, shape))
            for rate in (rate_of_arm, rate_of_baseline)
        )
        return arm - baseline

    return draw, -0.4 * (rate_of_arm - rate_of_baseline)


DISTRIBUTIONS = {
    "normal": (lambda random, shape: random.normal(size=shape), 0.0),
    "heavy-tailed (t, 3 df)": (lambda random, shape: random.standard_t(3, shape), 0.0),
    "bounded (uniform)": (lambda random, shape: random.uniform(-1, 1, shape), 0.0),
    "skewed (exponential)": (lambda random, shape: random.exponential(size=shape), 1.0),
    "very skewed (log-normal)": (lambda random, shape: random.lognormal(size=shape), float(np.exp(0.5))),
    "collapse 15 % in both arms": collapses(0.15, 0.15),
    "collapse 5 % in one arm": collapses(0.05, 0.0),
    "collapse 15 % in one arm": collapses(0.15, 0.0),
    "collapse 30 % in one arm": collapses(0.30, 0.0),
    "collapse 30 % against 10 %": collapses(0.30, 0.10),
}


def coverage(name: str, n: int) -> dict[str, float]:
    """Share of simulated studies whose interval holds the true mean difference."""
    draw, centre = DISTRIBUTIONS[name]
    rows = draw(np.random.default_rng([SEED, n]), (N_STUDIES[n], n)) - centre
    error = rows.std(axis=1, ddof=1) / np.sqrt(n)
    reach = stats.t.ppf(0.975, n - 1) * error
    # the sign-flip interval holds the true mean exactly where the test does not reject it
    return {
        "sign_flip": float(np.mean(sign_flip_p(rows) > 0.05)),
        "paired_t": float(np.mean(np.abs(rows.mean(axis=1)) <= reach)),
    }


def main() -> None:
    rows = []
    print(f"{'paired differences':<28}{'pairs':>6}{'sign-flip':>11}{'paired t':>10}{'studies':>9}")
    for name in DISTRIBUTIONS:
        for n in N_PAIRS:
            found = coverage(name, n)
            rows.append({"differences": name, "n_pairs": n, "n_studies": N_STUDIES[n], "confidence": 0.95, **found})
            print(f"{name:<28}{n:>6}{found['sign_flip']:>11.3f}{found['paired_t']:>10.3f}{N_STUDIES[n]:>9}")
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps({"command": "python tests/benchmarks/coverage.py", "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
