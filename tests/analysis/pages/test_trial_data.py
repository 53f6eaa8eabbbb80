import json
import math

import pytest

from analysis.data import study_view
from analysis.pages.trial_data import MOST_NUMBERS, contrast_data, curve_data, trial_data
from analysis.verdicts.verdicts import verdicts


@pytest.fixture(scope="module")
def study(synthetic):
    return study_view.load(synthetic.results, synthetic.name)


@pytest.fixture(scope="module")
def trials(study):
    return trial_data(study)


def test_every_column_has_an_entry_for_every_trial(trials, study):
    columns = ("arm", "seed", "search", "state", "collapsed", "kind", "seconds", "config", "error")
    assert {len(trials[name]) for name in (*columns, "id")} == {len(study.rows)}
    assert {len(values) for values in trials["values"].values()} == {len(study.rows)}


def test_a_config_put_together_again_is_that_of_the_ledger(trials, study):
    for place, text in enumerate(study.rows["config"]):
        if isinstance(text, str) and text:
            entry = trials["configs"]["own"][trials["config"][place]]
            whole = {**trials["configs"]["common"][entry["method"]], **entry["own"]}
            assert {knob: whole[knob] for knob in json.loads(text)} == json.loads(text)


def test_values_are_printed_ones_of_the_right_trial(trials, study):
    for shown, value in zip(trials["values"]["nmi"], study.rows["metric.nmi"], strict=True):
        assert shown is None if math.isnan(value) else shown == pytest.approx(100 * value, abs=0.006)


def test_curves_are_those_of_the_ledger(study):
    epochs = study_view.epochs_of(study, study_view.confirm_rows(study))
    curves = curve_data(study, epochs)
    one = epochs[epochs["trial_id"] == curves["ids"][3]].sort_values("epoch")
    assert curves["epochs"] == one["epoch"].tolist()
    assert curves["values"]["nmi"][3] == pytest.approx((100 * one["metric.nmi"]).tolist(), abs=0.006)


def test_curves_of_very_many_trials_keep_fewer_epochs_with_both_ends(study, monkeypatch):
    epochs = study_view.epochs_of(study, study_view.confirm_rows(study))
    monkeypatch.setattr("analysis.pages.trial_data.MOST_NUMBERS", 10)
    curves = curve_data(study, epochs)
    kept = curves["epochs"]
    assert curves["of"] == epochs["epoch"].nunique() > len(kept)  # the page says that it has not all
    assert len(kept) == 5 and kept[0] == epochs["epoch"].min() and kept[-1] == epochs["epoch"].max()
    assert MOST_NUMBERS > 10_000


def test_differences_of_the_own_metric_are_those_that_were_judged(study):
    found = verdicts(study)
    for told, verdict in zip(contrast_data(study, found), found, strict=True):
        living = verdict.judgement.living
        assert told["metrics"]["nmi"]["seeds"] == list(living.seeds)
        assert told["metrics"]["nmi"]["dots"] == pytest.approx([100 * one for one in living.differences], abs=0.006)
