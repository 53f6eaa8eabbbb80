"""Label-free rules on tables small enough to choose by hand, and what must be refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.inference.selection import (
    between_seed_mi,
    choose_configuration,
    choose_epochs,
    configuration_rules,
    external_metrics,
    is_oracle,
)

VALUES = {
    "neighbour_mi": [[1.0, 1.2], [1.5, 1.4], [0.9, 0.2], [1.4, 1.3]],
    "between_seed_mi": [[0.8, 0.8], [0.7, 0.7], [0.1, 0.1], [0.9, 0.9]],
    "silhouette": [[0.1, 0.1], [0.2, 0.2], [0.9, 0.9], [0.3, 0.3]],
    "acc": [[0.9, 0.9], [0.5, 0.5], [0.2, 0.2], [0.6, 0.6]],
}


def test_the_default_rule_is_neighbour_mi_and_sees_no_label():
    choice = choose_configuration(VALUES)
    assert (choice.rule, choice.oracle, choice.chosen) == ("neighbour_mi", False, 1)
    assert choice.scores == pytest.approx([1.1, 1.45, 0.55, 1.35])
    shuffled = choose_configuration({**VALUES, "acc": np.random.default_rng(0).random((4, 2))})
    assert shuffled.chosen == choice.chosen


def test_every_rule_chooses_by_its_own_metric():
    assert choose_configuration(VALUES, rule="between_seed_mi").chosen == 3
    assert choose_configuration(VALUES, rule="silhouette").chosen == 2
    oracle = choose_configuration(VALUES, rule="oracle_acc")
    assert oracle.chosen == 0 and oracle.oracle and is_oracle("oracle_acc")
    # ranks 2+3, 4+2, 1+1, 3+4
    sums = choose_configuration(VALUES, rule="rank_sum")
    assert list(sums.scores) == [5.0, 6.0, 2.0, 7.0] and sums.chosen == 3


def test_collapsed_and_incomplete_configurations_are_dropped_and_named():
    collapsed = np.zeros((4, 2), dtype=bool)
    collapsed[1] = [False, True]
    values = {"neighbour_mi": np.array(VALUES["neighbour_mi"])}
    values["neighbour_mi"][3, 0] = math.nan
    choice = choose_configuration(values, collapsed)
    assert choice.chosen == 0
    assert choice.dropped == {1: "collapsed on seed column 1", 3: "no value on seed column 0"}
    assert np.isnan(choice.scores[[1, 3]]).all()


def test_nothing_is_chosen_when_everything_collapsed():
    choice = choose_configuration(VALUES, np.ones((4, 2), dtype=bool))
    assert choice.chosen is None and len(choice.dropped) == 4


def test_a_loss_that_contains_a_differing_knob_is_refused_and_another_is_minimised():
    values = {"loss": [[1.0, 1.0], [0.5, 0.5]]}
    contained = {"loss": {"fairness_weight", "norm_weight"}}
    with pytest.raises(RequestError, match="contains norm_weight"):
        choose_configuration(values, rule="loss", differing={"norm_weight", "lr"}, contained=contained)
    assert choose_configuration(values, rule="loss", differing={"lr"}, contained=contained).chosen == 1
    with pytest.raises(RequestError, match="not known which knobs"):
        choose_configuration(values, rule="loss", differing={"lr"})


@pytest.mark.parametrize("metric", ["acc", "nmi", "ari", "ami", "semantic_preservation"])
def test_an_external_metric_must_be_called_an_oracle(metric):
    with pytest.raises(RequestError, match=f"oracle_{metric}"):
        choose_configuration({metric: [[1.0]]}, rule=metric)
    with pytest.raises(RequestError, match=f"oracle_{metric}"):
        choose_epochs({metric: [[1.0]]}, metric)


def test_unknown_rules_and_unmeasured_metrics_are_named():
    with pytest.raises(UnknownNameError, match="neighbour_mj"):
        choose_configuration(VALUES, rule="neighbour_mj")
    with pytest.raises(UnknownNameError, match="preservation"):
        choose_configuration(VALUES, rule="preservation")
    with pytest.raises(UnknownNameError, match="silhouette"):
        choose_epochs({"acc": [[1.0]]}, "silhouette")


def test_no_label_free_rule_rests_on_an_external_metric():
    used = {metric for metrics in configuration_rules().values() for metric in metrics}
    assert not used & external_metrics()
    assert external_metrics() == {"acc", "nmi", "ari", "ami", "semantic_preservation"}


def test_epochs_are_the_last_unless_a_rule_says_otherwise():
    curves = {"acc": [[0.5, 0.9, 0.6], [0.1, 0.2, 0.3]], "neighbour_mi": [[2.0, 1.0, 2.0], [math.nan, 3.0, 1.0]]}
    assert list(choose_epochs(curves)) == [2, 2]
    assert list(choose_epochs(curves, "neighbour_mi")) == [2, 1]
    assert list(choose_epochs(curves, "oracle_acc")) == [1, 2]
    assert list(choose_epochs({"neighbour_mi": [[math.nan, math.nan]]}, "neighbour_mi")) == [1]
    with pytest.raises(RequestError, match="loss"):
        choose_epochs({"loss": [[1.0, 0.5]]}, "loss")


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 4), st.integers(1, 30), st.integers(1, 5), st.integers(0, 1000))
def test_between_seed_mi_agrees_with_scikit_learn(n_seeds, n_points, n_clusters, seed):
    labels = np.random.default_rng(seed).integers(0, n_clusters, (n_seeds, n_points))
    oracle = [
        np.mean([mutual_info_score(labels[i], labels[j]) for j in range(n_seeds) if j != i]) for i in range(n_seeds)
    ]
    assert between_seed_mi(labels) == pytest.approx(np.array(oracle), abs=1e-9)


def test_between_seed_mi_of_collapsed_seeds_is_zero_and_needs_two_seeds():
    assert list(between_seed_mi(np.zeros((3, 10), dtype=int))) == [0.0, 0.0, 0.0]
    with pytest.raises(RequestError, match="two seeds"):
        between_seed_mi(np.zeros((1, 10), dtype=int))
