"""How long statistics take: verdicts and table of 50 arms x 20 seeds, PED-ANOVA with 200 draws on 1,000 configurations.

Run: `python tests/benchmarks/statistics_speed.py`. Targets: < 2 s and < 10 s (best of the repeats, on an idle core).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.data import study_view
from analysis.sensitivity import estimators
from analysis.tables import arm_tables
from analysis.verdicts import verdicts
from analysis.verdicts.detectable import detectable

REPEATS = 3


def study_of(n_arms: int, n_seeds: int) -> study_view.StudyView:
    """Return a made-up study of one baseline and n_arms - 1 levels."""
    random = np.random.default_rng(0)
    arms = ["baseline", *(f"knob={index}" for index in range(1, n_arms))]
    rows = [
        {"trial_id": f"{arm}-{seed}", "arm": arm, "seed": seed, "phase": "confirm", "state": "complete",
         "collapsed": bool(random.random() < 0.02), "metric.nmi": float(random.normal(0.6, 0.05)),
         "metric.acc": float(random.normal(0.7, 0.05))}
        for arm in arms for seed in range(n_seeds)
    ]  # fmt: skip
    known = [
        {"name": arm, "method": "entropy", "dataset": "digits", "factor": "knob", "level": arm,
         "role": "baseline" if arm == "baseline" else "level"}
        for arm in arms
    ]  # fmt: skip
    contrasts = [{"name": arm, "weights": {arm: 1.0, "baseline": -1.0}, "dataset": "digits"} for arm in arms[1:]]
    record = {"metric": "nmi", "alpha": 0.05, "margin": 0.01, "datasets": ["digits"], "looks_taken": [],
              "arms": known, "contrasts": contrasts,
              "seeds": {"block": "confirm", "seeds": list(range(n_seeds))}}  # fmt: skip
    return study_view.StudyView("made-up", Path("."), record, pd.DataFrame(rows))


def answered(study: study_view.StudyView) -> None:
    """Compute everything that a report says in numbers."""
    found = verdicts.verdicts(study)
    rows = arm_tables.arm_rows(study, found)
    arm_tables.printed(rows, "nmi")
    arm_tables.as_frame(rows)
    detectable(study, found)


def timed(what: str, target: float, call: Callable[[], object]) -> None:
    """Print wall-clock and CPU seconds of each repeat."""
    walls, cpus = [], []
    for _ in range(REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    spread = f"wall {min(walls):.2f} to {max(walls):.2f} s, CPU {min(cpus):.2f} to {max(cpus):.2f} s"
    print(f"{what}: {spread} (< {target:g} s)")


def main() -> None:
    """Time the statistics."""
    study = study_of(50, 20)
    timed("verdicts and table, 50 arms x 20 seeds", 2, lambda: answered(study))
    random = np.random.default_rng(0)
    knobs = pd.DataFrame({f"knob_{index}": 10 ** random.uniform(-3, 0, 1000) for index in range(7)})
    objective = np.log10(knobs["knob_0"].to_numpy()) + 0.3 * random.normal(size=1000)
    timed("PED-ANOVA, 1,000 x 7 knobs, 200 draws", 10, lambda: estimators.ped_anova(knobs, objective))


if __name__ == "__main__":
    main()
