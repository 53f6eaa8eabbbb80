from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.data import study_view
from analysis.verdicts import beats_chance


def study_of(values, *, metric="nmi", chance=0.02, by=0.1, collapsed=(), **record):
    """One baseline with these values, and a level nobody looks at."""
    rows = [{"trial_id": f"b{seed}", "arm": "baseline", "seed": seed, "phase": "confirm", "state": "complete",
             "collapsed": seed in collapsed, "metric.nmi": value} for seed, value in enumerate(values)]  # fmt: skip
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
    assert found.works and not found.fails and found.p_above == pytest.approx(2.0**-10)
    assert found.sentence.startswith(
        "entropy on digits beats chance: its baseline has NMI 55.0 where it works (median)"
    )
    assert (
        "it has it on 10 of 10 seeds" in found.sentence and "0 of 10 seeds, which allows up to 26 %" in found.sentence
    )


def test_a_baseline_that_is_shown_to_lie_below_the_bar_does_not_work_at_its_tier():
    (found,) = beats_chance.footings(study_of(np.linspace(0.06, 0.11, 10), tier="paper"))
    assert found.fails and not found.works
    assert found.sentence.startswith("entropy on digits does not work at this tier (paper): ")


def test_one_that_may_lie_above_is_not_said_not_to_work():
    (found,) = beats_chance.footings(study_of(np.linspace(0.10, 0.15, 10)))
    assert not found.fails and not found.works
    assert found.sentence.startswith(
        "entropy on digits is not shown to beat chance by the stated margin (local tier): "
    )


def test_it_is_judged_where_it_works_and_its_collapses_stand_beside():
    values = np.r_[np.full(9, 0.6), np.full(3, 0.01)]
    (found,) = beats_chance.footings(study_of(values, collapsed=(9, 10, 11)))
    assert found.works and (found.n_working, found.n_seeds, found.above) == (9, 12, 9)
    assert found.typical == pytest.approx(0.6)
    assert "It collapsed or failed on 3 of 12 seeds, which allows up to 53 %." in found.sentence


def test_one_that_always_collapses_does_not_work():
    (found,) = beats_chance.footings(study_of(np.full(6, 0.01), collapsed=range(6)))
    assert found.fails and "all 6 baseline trials collapsed or failed" in found.sentence


def test_the_baselines_of_several_datasets_are_one_family():
    study = study_of(np.linspace(0.5, 0.6, 5))
    other = study_of(np.linspace(0.5, 0.6, 5)).rows.assign(arm="other")
    study.record["arms"][1] = {"name": "other", "role": "baseline", "method": "entropy", "dataset": "digits"}
    both = study_view.StudyView("s", Path("r"), study.record, pd.concat([study.rows, other], ignore_index=True))
    assert beats_chance.footings(study)[0].p_above == pytest.approx(2.0**-4)  # 2^-5, twice
    assert [one.works for one in beats_chance.footings(both)] == [False, False]


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
