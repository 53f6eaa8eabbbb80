"""What a search may go by: rules, metrics that a method reports, their better ends, and what must be said of them."""

from __future__ import annotations

import pytest

from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.inference.objectives import objective_of, objectives_of, recorded_objectives
from orchestrator.metric import Metric


def test_a_rule_brings_its_own_metric_and_end():
    assert (objective_of("neighbour_mi").metric, objective_of("neighbour_mi").direction) == ("neighbour_mi", "maximize")
    oracle = objective_of("oracle_acc")
    assert (oracle.metric, oracle.maximize) == ("acc", True)
    assert objective_of("neighbour_mi").note() == "" and "reads labels" in oracle.note()


def test_any_number_that_a_method_reports_is_an_objective_once_its_end_is_said():
    with pytest.raises(UnknownNameError):
        objective_of("val_elbo")
    found = objective_of("val_elbo", "minimize")
    assert (found.metric, found.maximize, found.sign) == ("val_elbo", False, -1.0)
    assert "is the word of whoever declared it" in found.note() and "small" in found.note()


def test_a_declared_metric_needs_no_direction_and_may_not_be_contradicted():
    declared = {"elbo": Metric(written="ELBO"), "gap": Metric(written="gap", larger_is_better=False)}
    assert objective_of("elbo", "", declared).maximize and not objective_of("gap", "", declared).maximize
    with pytest.raises(RequestError, match="gap is to be small, says its declaration"):
        objective_of("gap", "maximize", declared)
    with pytest.raises(RequestError, match="which end of max_share is better is not known"):
        objective_of("max_share")


def test_a_loss_is_an_objective_only_for_whoever_says_so_and_is_told_what_it_compares():
    with pytest.raises(RequestError, match="not known which knobs that loss contains"):
        objective_of("loss")
    note = objective_of("loss", "minimize").note({"weight", "lr"})
    assert "(lr, weight)" in note and "different scales" in note


def test_what_reads_labels_says_oracle_whatever_direction_is_stated():
    for rule in ("nmi", "acc"):
        with pytest.raises(RequestError, match=f"oracle_{rule}"):
            objective_of(rule, "maximize")
    declared = {"f1": Metric(written="F1", reads_labels=True)}
    with pytest.raises(RequestError, match="oracle_f1"):
        objective_of("f1", "maximize", declared)
    assert objective_of("oracle_f1", "maximize", declared).metric == "f1"


def test_several_objectives_have_a_direction_each():
    first, second = objectives_of(("neighbour_mi", "seconds"), ("", "minimize"))
    assert (first.direction, second.direction) == ("maximize", "minimize")
    with pytest.raises(RequestError, match="1 directions for 2 objectives"):
        objectives_of(("neighbour_mi", "seconds"), ("minimize",))
    with pytest.raises(UnknownNameError, match="direction of seconds"):
        objective_of("seconds", "down")


def test_a_record_from_before_directions_maximises():
    assert [one.direction for one in recorded_objectives({"rules": ["neighbour_mi", "silhouette"]})] == ["maximize"] * 2
    later = recorded_objectives({"rules": ["oracle_acc", "gap"], "directions": ["maximize", "minimize"]})
    assert [(one.metric, one.sign) for one in later] == [("acc", 1.0), ("gap", -1.0)]
