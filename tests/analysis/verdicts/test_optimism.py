from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest

from analysis.data import study_view
from analysis.verdicts import optimism


@pytest.fixture(scope="module")
def study(synthetic):
    return study_view.load(synthetic.results, synthetic.name)


def test_epochs_gain_the_best_minus_the_last_averaged_over_arms_within_seeds(study):
    curves = {
        ("a", 0): [0.5, 0.6, 0.5],
        ("b", 0): [0.1, 0.2, 0.3],
        ("a", 1): [0.9, 0.4, 0.4],
        ("b", 1): [0.2, 0.2, 0.2],
    }
    epochs = pd.DataFrame(
        [{"trial_id": f"{arm}{seed}", "seed": seed, "epoch": place, "metric.nmi": value}
         for (arm, seed), values in curves.items() for place, value in enumerate(values)]
    )  # fmt: skip
    (found,) = [one for one in optimism.optimism(study, epochs) if one.about == "epochs"]
    assert found.gain == pytest.approx(np.mean([(0.1 + 0.0) / 2, (0.5 + 0.0) / 2]))
    assert "15.0 points" in found.sentence and "4 trials over 2 seeds" in found.sentence


def test_configurations_gain_the_best_by_labels_minus_the_chosen_one(study):
    record = copy.deepcopy(dict(study.record))
    search = record["searches"][0]
    rows = study_view.search_rows(study, search)
    means = rows.groupby("configuration")["metric.nmi"].mean()
    search["chosen_number"] = int(means.index[(means - means.median()).abs().argmin()])
    (found,) = [
        one for one in optimism.optimism(study_view.StudyView("s", study.results, record, study.rows), pd.DataFrame())
        if one.about == "configurations"
    ]  # fmt: skip
    assert found.gain == pytest.approx(means.max() - means[search["chosen_number"]])
    assert f"number {means.idxmax()} of 24 instead of {search['chosen_number']}" in found.sentence


def test_the_same_choice_is_said_to_be_the_same(study):
    record = copy.deepcopy(dict(study.record))
    rows = study_view.search_rows(study, record["searches"][0])
    record["searches"][0]["chosen_number"] = int(rows.groupby("configuration")["metric.nmi"].mean().idxmax())
    found = optimism.optimism(study_view.StudyView("s", study.results, record, study.rows), pd.DataFrame())
    assert "the same one of 24" in found[-1].sentence and found[-1].gain == 0.0
