from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.data import under_trained
from analysis.data.study_view import StudyView


def rows(arm, values):
    return [
        {"trial_id": arm, "arm": arm, "epoch": place + 1, "metric.nmi": value} for place, value in enumerate(values)
    ]


def test_a_trial_is_under_trained_if_it_moved_by_a_point_over_the_last_fifth():
    rest = [0.1 * place for place in range(8)]
    epochs = pd.DataFrame(
        rows("still", [*rest, 0.705, 0.709])
        + rows("moving", [*rest, 0.705, 0.715])
        + rows("falling", [*rest, 0.7, 0.68])
    )
    assert under_trained.under_trained(epochs, "nmi")["moving"].to_dict() == {"still": 0, "moving": 1, "falling": 1}


def test_an_arm_is_under_trained_by_its_mean_for_a_trial_goes_up_and_down_at_rest():
    rest = [0.1 * place for place in range(8)]
    trials = [("a", 0.73), ("b", 0.67), ("c", 0.715), ("d", 0.695)]
    restless = [{**row, "arm": "restless"} for name, end in trials for row in rows(name, [*rest, 0.7, end])]
    rising = [
        {**row, "arm": "rising"} for name in "ef" for row in rows(name, [*rest, 0.7, 0.72 + 0.01 * (name == "e")])
    ]
    found = under_trained.under_trained(pd.DataFrame(restless + rising), "nmi")
    assert found["moving"].to_dict() == {"restless": 3, "rising": 2}
    assert found["moved"].round(6).to_dict() == {"restless": 0.0025, "rising": 0.025}
    assert under_trained.n_under_trained(study(), pd.DataFrame(restless + rising)) == 1
    said = under_trained.under_trained_sentence(study(), pd.DataFrame(restless + rising))
    assert "in rising (+2.5; 2 of 2);" in said and "restless" not in said


def test_too_few_evaluations_say_nothing():
    assert under_trained.under_trained(pd.DataFrame(rows("short", [0.1, 0.2, 0.9, 1.0])), "nmi").empty
    assert under_trained.under_trained(pd.DataFrame(), "nmi").empty


def study(metric="nmi"):
    return StudyView("s", Path("r"), {"metric": metric}, pd.DataFrame())


def test_arms_that_moved_and_arms_of_which_nothing_is_known_are_named():
    rest = [0.1 * place for place in range(8)]
    epochs = pd.DataFrame(rows("moving", [*rest, 0.705, 0.73]) + rows("short", [0.1, 0.9]))
    said = under_trained.under_trained_sentence(study("loss"), epochs)
    assert "in moving (+3.0; 1 of 1); beside" in said and said.endswith(
        "unknown for short: fewer than 5 evaluations of NMI."
    )
    assert under_trained.n_under_trained(study(), epochs) == 1


def test_a_trial_that_two_arms_share_counts_for_both():
    values = [*[0.1 * place for place in range(8)], 0.705, 0.73]
    shared = pd.DataFrame([*rows("a", values), *({**row, "arm": "b"} for row in rows("a", values))])
    assert under_trained.n_under_trained(study(), shared) == 2
    assert "a (+3.0; 1 of 1) and b (+3.0; 1 of 1)" in under_trained.under_trained_sentence(study(), shared)
