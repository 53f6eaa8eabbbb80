from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.data import study_view
from orchestrator import discovery
from orchestrator.errors import RequestError


def test_a_trial_that_was_never_trained_is_named_missing(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    row = study_view.arm_table(study).loc["norm_weight=0"]
    assert (row["planned"], row["complete"], row["missing"], row["without"]) == (12, 11, 1, [5])


def test_a_failed_trial_is_named_failed_and_has_no_value(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    row = study_view.arm_table(study).loc["update=epoch"]
    assert (row["failed"], row["missing"], row["without"]) == (1, 0, [3])
    assert 3 not in study_view.by_seed(study, "nmi")["update=epoch"]


def test_collapsed_trials_are_complete_and_flagged(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    assert study_view.arm_table(study).loc["fairness_weight=0", ["complete", "collapsed"]].tolist() == [12, 6]
    assert [
        seed
        for seed, gone in study_view.arm_seed_values(study, "nmi").collapsed_by_seed()["fairness_weight=0"].items()
        if gone
    ] == list(range(6))


def test_an_arm_without_a_complete_trial_keeps_its_place(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    none = study.rows[study.rows["arm"] != "kmeans"]
    cut = study_view.StudyView(study.name, study.results, study.record, none)
    assert study_view.by_seed(cut, "nmi")["kmeans"] == {}
    assert study_view.arm_table(cut).loc["kmeans", "planned"] == 0


def test_search_trials_are_no_confirm_rows(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    assert set(study_view.confirm_rows(study)["seed_block"]) == {"confirm"}
    found = study_view.search_rows(study, study.record["searches"][0])
    assert len(found) == 96 and found["configuration"].nunique() == 24


def test_one_trial_may_serve_two_arms():
    plan = pd.DataFrame({"trial_id": ["a", "a"], "arm": ["x", "y"], "seed": [0, 0], "phase": ["confirm"] * 2})
    trials = pd.DataFrame(
        {"trial_id": ["a"], "seed": [0], "state": ["complete"], "collapsed": [False], "metric.nmi": [0.5]}
    )
    study = study_view.view("s", Path("r"), {"metric": "nmi", "arms": [{"name": "x"}, {"name": "y"}]}, plan, trials)
    assert study_view.by_seed(study, "nmi") == {"x": {0: 0.5}, "y": {0: 0.5}}


def test_an_unknown_study_is_refused_in_one_line(synthetic):
    with pytest.raises(RequestError) as caught:
        study_view.load(synthetic.results, "nonsense")
    assert "nonsense" in str(caught.value) and "\n" not in str(caught.value)


def test_what_a_study_declares_of_a_number_of_its_own_is_known_to_whoever_reads_its_folder(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    record = {**study.record, "metrics": {"own_distance": {"written": "distance of ours", "larger_is_better": False}}}
    plan = study.rows[["trial_id", "arm", "phase", "seed"]]
    study_view.view(study.name, synthetic.results, record, plan, study.rows)
    found = discovery.metric("own_distance")
    assert (found.written, found.larger_is_better) == ("distance of ours", False)


def test_what_is_made_of_a_view_is_made_once_and_anew_of_another_view(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    assert study_view.confirm_rows(study) is study_view.confirm_rows(study)
    table = study_view.arm_seed_values(study, "nmi")
    assert study_view.arm_seed_values(study, "nmi") is table and study_view.arm_seed_values(study, "acc") is not table
    fewer = replace(study, rows=study.rows[study.rows["seed"] != study.rows["seed"].max()])
    assert len(study_view.confirm_rows(fewer)) < len(study_view.confirm_rows(study))


def test_a_metric_that_no_trial_has_is_missing_everywhere(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    assert not any(study_view.by_seed(study, "nonsense").values())
