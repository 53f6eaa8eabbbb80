from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.data import study_view
from analysis.verdicts import verdicts
from analysis.verdicts.detectable import detectable
from orchestrator.inference.power import Replication, detectable_collapse, detectable_difference, discordant_needed


def study_of(*differences, n=12):
    """One baseline and one level a row of differences, on n seeds."""
    levels = {f"level {i}": np.broadcast_to(row, n) for i, row in enumerate(differences)}
    arms = {"baseline": np.zeros(n), **levels}
    rows = [{"trial_id": f"{arm}{seed}", "arm": arm, "seed": seed, "phase": "confirm", "state": "complete",
             "collapsed": False, "metric.nmi": 0.5 + value} for arm, column in arms.items()
            for seed, value in enumerate(column)]  # fmt: skip
    record = {
        "metric": "nmi", "alpha": 0.05, "margin": None, "datasets": ["digits"], "looks_taken": [],
        "arms": [{"name": arm} for arm in arms], "seeds": {"block": "confirm", "seeds": list(range(n))},
        "contrasts": [{"name": arm, "weights": {arm: 1.0, "baseline": -1.0}} for arm in levels],
    }  # fmt: skip
    study = study_view.StudyView("s", Path("r"), record, pd.DataFrame(rows))
    return study, verdicts.verdicts(study)


def noise(sd):
    row = np.random.default_rng(0).standard_normal(12)
    return sd * row / row.std(ddof=1)


def test_it_is_the_power_of_the_corrected_test_at_the_observed_spread():
    found = detectable(*study_of(noise(0.01), noise(0.02), noise(0.03)))
    assert found.difference == pytest.approx(detectable_difference(0.02, Replication(12, 3)), rel=1e-6)
    assert found.low < found.difference < found.high and found.noisiest > found.difference
    assert "12 seeds, corrected over 3 contrasts" in found.sentence and "in the noisiest" in found.sentence


def test_seeds_that_cannot_reach_alpha_are_said_to():
    found = detectable(*study_of(noise(0.01)[:4] - noise(0.01)[:4].mean(), n=4))
    assert math.isinf(found.difference) and math.isinf(found.collapse)
    assert found.sentence == (
        "4 seeds cannot reach p = 0.05 over 1 contrast; 6 can. How often they work cannot be told apart with 4 seeds: "
        "it takes 5 on which only one works."
    )


def test_both_parts_say_what_they_could_find():
    found = detectable(*study_of(noise(0.01), noise(0.02), noise(0.03)))
    replication = Replication(12, 3)
    assert found.discordant_needed == discordant_needed(replication) == 7
    assert found.collapse == pytest.approx(detectable_collapse(replication))
    assert stats.binom.sf(6, 12, found.collapse) == pytest.approx(0.8)
    assert "7 of 12 seeds on which only one works show it" in found.sentence


def test_without_any_spread_it_is_unknown_and_without_contrasts_no_question():
    assert "is unknown" in detectable(*study_of(0.01)).sentence
    assert detectable(study_of(0.01)[0], []) is None
