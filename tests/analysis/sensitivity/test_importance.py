import pytest

from analysis.data import study_view
from analysis.sensitivity import importance
from analysis.sensitivity.importance import importances


@pytest.fixture(scope="module")
def study(synthetic):
    return study_view.load(synthetic.results, synthetic.name)


def test_the_knob_that_moves_the_objective_is_first(study):
    (one,) = importances(study, n_bootstrap=50)
    assert one.shares.index[0] == "fairness_weight" and one.clear
    assert one.shares["importance"].sum() == pytest.approx(1.0)
    assert one.variance.idxmax() == "fairness_weight"


def test_few_configurations_have_no_importances(study, monkeypatch):
    monkeypatch.setattr(importance, "FEWEST", 25)
    assert importances(study) == []
