"""Shares of collapsed trials, and maps of where."""

import numpy as np
import views

from analysis.across import collapse


def test_a_trial_that_two_studies_ask_for_collapses_once_and_maps_name_their_study():
    grid = {f"{a}, {b}": ("secu", "baseline" if a == b == "1" else "level") for a in "123" for b in "12"}
    random = np.random.default_rng(0)
    study = views.view_of_arms("crossed", grid, {(arm, "digits"): random.random(4) for arm in grid})
    for arm in study.record["arms"]:
        arm |= {"factor": "lower_bound x dual_lr", "level": arm["name"]}
    study.rows["collapsed"] = study.rows["arm"] == "3, 2"
    table = collapse.collapse_shares([study, study])
    assert table.loc["secu", ["trials", "collapsed"]].tolist() == [24, 4]
    assert table.loc["secu", "low"] < 4 / 24 < table.loc["secu", "high"]
    section = collapse.collapse_section([study])
    assert [drawing.key for drawing in section.drawings] == ["map_digits_crossed"]
    study.rows["collapsed"] = False
    assert collapse.collapse_section([study]) is None
