"""Components: merging what is on and off, and what is refused."""

from __future__ import annotations

import pytest

from orchestrator.designs.add_one_in import add_one_in
from orchestrator.designs.components import Component, check_components, merged, one_switched
from orchestrator.designs.leave_one_out import leave_one_out
from orchestrator.errors import RequestError
from orchestrator.knobs import Choice, Float, Knob

PARTS = {
    "fairness": Component(on={"weight": 5.0}, off={"weight": 0.0}),
    "order": Component(on={"loss": "forward", "order": 3.0}, off={"loss": "reverse"}),
}


def test_values_of_on_and_off_lie_over_the_start(space):
    assert merged({"lr": 0.5, "weight": 9.0}, PARTS, {"fairness": True, "order": False}) == {
        "lr": 0.5,
        "weight": 5.0,
        "loss": "reverse",
    }


def test_one_switched_changes_exactly_one_component_an_arm(space):
    whole = one_switched(leave_one_out("entropy", PARTS), space, {}, baseline_on=True)
    bare = one_switched(leave_one_out("entropy", PARTS), space, {}, baseline_on=False)
    assert [a.name for a in whole] == ["baseline", "without fairness", "without order"]
    assert [a.name for a in bare] == ["baseline", "only fairness", "only order"]
    # with two components, all but one is only the other: both designs share those configurations
    assert dict(bare[1].values)["weight"] == dict(whole[2].values)["weight"] == 5.0


@pytest.mark.parametrize(
    ("components", "says"),
    [
        ({}, "needs at least one component"),
        ({"x": Component(on={"speed": 1}, off={})}, "unknown knob of entropy 'speed'"),
        ({"x": Component(on={}, off={"weight": -1.0})}, "entropy.weight = -1.0 is outside"),
    ],
)
def test_wrong_components_are_refused_in_one_line(space, components, says):
    with pytest.raises(RequestError, match=says):
        check_components(components, space, "entropy")


def test_a_component_that_changes_nothing_is_refused(space):
    with pytest.raises(RequestError, match="'without x' of entropy is the same configuration as 'baseline'"):
        leave_one_out("entropy", {"x": Component(on={"weight": 1.0}, off={"weight": 1})}).arms(space, {})


def test_a_component_that_has_no_effect_beside_the_others_is_the_baseline(space):
    parts = {"forward": Component({"loss": "forward"}, {"loss": "reverse"}), "order": Component({"order": 3.0}, {})}
    bare = add_one_in("entropy", parts).arms(space, {})
    assert [(arm.name, arm.also) for arm in bare] == [("baseline", ("only order",)), ("only forward", ())]
    assert [arm.name for arm in leave_one_out("entropy", parts).arms(space, {})] == [
        "baseline",
        "without forward",
        "without order",
    ]


SWITCHES = {
    "balance": Knob(True, Choice(True, False)),
    "no_pretrain": Knob(False, Choice(False, True)),
    "without-noise": Knob(False, Choice(False, True)),
    "weight": Knob(1.0, Float(0.0, 10.0)),
}


def test_a_switch_that_takes_a_part_away_is_off_in_the_whole_method():
    design = leave_one_out("mine", ["balance", "no_pretrain", "without-noise"])
    whole, *others = design.arms(SWITCHES, {})
    assert whole.values == {"balance": True, "no_pretrain": False, "without-noise": False}
    assert [arm.name for arm in others] == ["without balance", "without pretrain", "without noise"]
    assert others[1].values == {**whole.values, "no_pretrain": True}
    bare = add_one_in("mine", ["balance", "no_pretrain", "without-noise"]).arms(SWITCHES, {})
    assert bare[0].values == {"balance": False, "no_pretrain": True, "without-noise": True}
    assert design.knobs == ("balance", "no_pretrain", "without-noise")


def test_two_switches_of_one_part_are_refused():
    with pytest.raises(RequestError, match="leave_one_out over mine: components"):
        leave_one_out("mine", ["noise", "no_noise"])


def test_a_number_among_switches_is_told_how_a_part_is_taken_away():
    with pytest.raises(RequestError, match=r"'weight' is not True or False but a number .*Component\(on=\{'weight'"):
        leave_one_out("mine", ["balance", "weight"]).arms(SWITCHES, {})


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"x": None},
        {"x": {"on": {}, "off": {}}},
        {1: None},
        None,
        3,
        "p",
        [[]],
        [{}],
        [1],
        [""],
        ["weight", "weight"],
        [],
    ],
)
def test_what_is_no_component_is_refused_in_one_line(space, wrong):
    with pytest.raises(RequestError, match=r"leave_one_out over entropy: components|is empty"):
        leave_one_out("entropy", wrong).arms(space, {})


@pytest.mark.parametrize("wrong", [None, "weight", 3, [("weight", 1.0)], {"weight": {1.0}}, {1: 2.0}])
def test_what_a_component_cannot_set_is_refused_where_it_is_made(wrong):
    with pytest.raises(RequestError, match=r"Component: o"):
        Component(wrong, {})
