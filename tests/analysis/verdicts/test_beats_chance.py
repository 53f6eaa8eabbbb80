from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.data import study_view
from analysis.verdicts import beats_chance


def study_of(values, *, metric="nmi", chance=0.02, by=0.1, **record):
    """One baseline with these values, and a level nobody looks at."""
    rows = [{"trial_id": f"b{seed}", "arm": "baseline", "seed": seed, "phase": "confirm", "state": "complete",
             "collapsed": False, "metric.nmi": value} for seed, value in enumerate(values)]  # fmt: skip
    known = {
        "metric": metric, "alpha": 0.05, "tier": "local", "beats_chance_by": by, "contrasts": [{"name": "c"}],
        "chance": {"digits": {"nmi": chance, "acc": 0.1}},
        "arms": [{"name": "baseline", "role": "baseline", "method": "entropy", "dataset": "digits"},
                 {"name": "level", "role": "level", "method": "entropy", "dataset": "digits"}],
    }  # fmt: skip
    columns = ["trial_id", "arm", "seed", "phase", "state", "collapsed", "metric.nmi"]
    return study_view.StudyView("s", Path("r"), {**known, **record}, pd.DataFrame(rows, columns=columns))


def test_a_baseline_above_chance_by_more_than_the_margin_works():
    (found,) = beats_chance.footings(study_of(np.linspace(0.5, 0.6, 10)))
    assert found.works and found.p == pytest.approx(2.0**-10)
    assert found.sentence.startswith("entropy on digits beats chance: its baseline has NMI 55.0, guessing has 2.0")


def test_a_baseline_near_chance_does_not_work_at_its_tier():
    (found,) = beats_chance.footings(study_of(np.linspace(0.08, 0.12, 10), tier="paper"))
    assert not found.works and found.sentence.startswith("entropy on digits does not work at this tier (paper): ")


def test_the_margin_is_the_studys_own():
    values = np.linspace(0.08, 0.12, 10)
    assert beats_chance.footings(study_of(values, by=0.05))[0].works
    assert not beats_chance.footings(study_of(values, by=0.05, chance=0.06))[0].works


def test_few_seeds_cannot_show_it_and_say_so():
    (found,) = beats_chance.footings(study_of([0.6, 0.7, 0.8, 0.9]))
    assert not found.works and "4 seeds cannot show more." in found.sentence


def test_a_metric_without_labels_is_judged_by_nmi():
    assert beats_chance.footings(study_of(np.full(10, 0.5), metric="neighbour_mi"))[0].metric == "nmi"


def test_what_is_not_known_is_not_called_working():
    earlier = study_of(np.full(10, 0.5))
    del earlier.record["chance"]
    for study in (study_of([]), earlier):
        (found,) = beats_chance.footings(study)
        assert not found.works and "is unknown" in found.sentence


def test_a_study_that_tests_nothing_asks_nothing_of_its_first_arm():
    assert beats_chance.footings(study_of(np.full(10, 0.0), contrasts=[])) == []
