from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from SALib.sample import morris as morris_sample
from SALib.sample import sobol as sobol_sample

from analysis.data import study_view
from analysis.figures import sensitivity
from analysis.sensitivity import estimators
from analysis.sensitivity.importance import importances
from analysis.verdicts import verdicts

PROBLEM = {"num_vars": 2, "names": ["p", "q"], "bounds": [[0.0, 1.0]] * 2}


def sampled(sample, *, n_seeds=4, datasets=("digits",)):
    """A study over a screening sample whose metric is 0.3 + 0.2 p + 0.01 q and a little noise."""
    random = np.random.default_rng(0)
    points, where = np.unique(sample.round(9), axis=0, return_inverse=True)
    arms, rows = [], []
    for index, (p, q) in enumerate(points):
        name = f"entropy point {index}"
        level = ",".join(str(row) for row in np.flatnonzero(where == index))
        arms.append({"name": name, "method": "entropy", "dataset": datasets[0], "role": "level", "factor": "sample",
                     "level": level, "design": 0, "values": {"p": float(p), "q": float(q), "fixed": 1}})  # fmt: skip
        rows += [
            {"trial_id": f"{index}-{seed}", "arm": name, "seed": seed, "phase": "confirm", "state": "complete",
             "collapsed": False, "metric.nmi": 0.3 + 0.2 * p + 0.01 * q + 1e-4 * random.normal()}
            for seed in range(n_seeds)
        ]  # fmt: skip
    record = {"metric": "nmi", "alpha": 0.05, "datasets": list(datasets), "arms": arms, "contrasts": [], "searches": [],
              "seeds": {"block": "confirm", "seeds": list(range(n_seeds))}}  # fmt: skip
    return study_view.StudyView("s", Path("r"), record, pd.DataFrame(rows))


def test_a_morris_study_is_put_back_in_order_and_ranked():
    (section,) = sensitivity.sections(sampled(morris_sample.sample(PROBLEM, 5, num_levels=4, seed=0)), [])
    assert section.title == "Morris screening: entropy on digits"
    assert section.sentence.startswith("p has the largest influence on NMI (%) (15 configurations, 4 seeds)")
    assert "20.0 [" in section.table


def test_a_sobol_study_is_put_back_in_order():
    (section,) = sensitivity.sections(sampled(sobol_sample.sample(PROBLEM, 16, calc_second_order=False, seed=0)), [])
    assert section.title == "Sobol indices: entropy on digits" and section.sentence.startswith("p has")


def test_a_point_without_values_leaves_no_indices_and_says_why():
    study = sampled(morris_sample.sample(PROBLEM, 5, num_levels=4, seed=0))
    cut = study_view.StudyView("s", Path("r"), study.record, study.rows[study.rows["arm"] != "entropy point 0"])
    (section,) = sensitivity.sections(cut, [])
    assert section.drawings == () and "at least one seed with a value at every point" in section.sentence


def test_importance_of_a_search_comes_with_intervals(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    (section,) = sensitivity.sections(study, [], importances(study, n_bootstrap=10))
    assert "fairness_weight" in section.sentence and "fANOVA" in section.table
    assert [one.key for one in section.drawings] == ["importance_0", "collapse_map_0"]


def components(removal, addition):
    """A study with `without x` and `only x`, whose contrasts have these exact mean differences."""
    spread = np.linspace(-0.001, 0.001, 10)
    values = {"whole": 0.6 + 0 * spread, "bare": 0.4 + 0 * spread, "without x": 0.6 + removal + spread,
              "only x": 0.4 + addition + spread}  # fmt: skip
    rows = [
        {"trial_id": f"{arm}{seed}", "arm": arm, "seed": seed, "phase": "confirm", "state": "complete",
         "collapsed": False, "metric.nmi": value} for arm, column in values.items() for seed, value in enumerate(column)
    ]  # fmt: skip
    pairs = (("without x", "whole", "without"), ("only x", "bare", "only"))
    record = {
        "metric": "nmi", "alpha": 0.05, "margin": 0.01, "datasets": ["digits"],
        "arms": [{"name": arm} for arm in values], "searches": [],
        "seeds": {"block": "confirm", "seeds": list(range(10))},
        "contrasts": [{"name": a, "weights": {a: 1.0, b: -1.0}, "factor": "x", "level": level, "dataset": "digits"}
                      for a, b, level in pairs],
    }  # fmt: skip
    return verdicts.verdicts(study_view.StudyView("s", Path("r"), record, pd.DataFrame(rows)))


@pytest.mark.parametrize(
    ("removal", "addition", "disagree"),
    [(-0.05, 0.05, False), (-0.05, 0.0, True), (-0.05, -0.05, True), (0.0, 0.0, False)],
)
def test_taking_away_and_putting_in_are_set_side_by_side_and_flagged(removal, addition, disagree):
    table = estimators.switched(components(removal, addition))
    row = table.loc[("x", "digits")]
    assert row["by_removal"] == pytest.approx(-removal) and row["by_addition"] == pytest.approx(addition)
    assert row["removal_low"] <= row["by_removal"] <= row["removal_high"]
    assert bool(row["disagree"]) is disagree


def test_one_design_alone_is_no_comparison():
    found = [one for one in components(-0.05, 0.05) if one.contrast.level == "only"]
    assert estimators.switched(found).empty
