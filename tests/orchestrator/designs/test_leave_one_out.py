"""Leave one out: the whole method is the baseline, one arm a component, each contrasted with it."""

from __future__ import annotations

import pytest

from orchestrator.designs.components import Component
from orchestrator.designs.leave_one_out import leave_one_out
from orchestrator.errors import RequestError
from orchestrator.knobs import canonical

PARTS = {
    "fairness": Component(on={"weight": 5.0}, off={"weight": 0.0}),
    "forward": Component(on={"loss": "forward"}, off={"loss": "reverse"}),
    "often": Component(on={"every": 1}, off={"every": 8}),
}


def switched_on(values):
    return {
        name for name, part in PARTS.items() if all(values[knob] == value for knob, value in part.on.items())
    }  # fmt: skip


def test_arms_have_exactly_the_components_that_their_names_say(space):
    baseline, *others = leave_one_out("entropy", PARTS, {"lr": 0.5}).arms(space, {})
    assert switched_on(baseline.values) == set(PARTS) and baseline.role == "baseline"
    for arm, part in zip(others, PARTS, strict=True):
        assert arm.name == f"without {part}" and arm.factor == part
        assert switched_on(arm.values) == set(PARTS) - {part}
    assert {arm.values["lr"] for arm in (baseline, *others)} == {0.5}


def test_what_a_search_chose_stays_but_for_the_switched_knobs(space):
    arms = leave_one_out("entropy", PARTS, {"lr": 0.5}).arms(space, {"lr": 0.2, "weight": 9.0})
    assert {arm.values["lr"] for arm in arms} == {0.2}
    assert {arm.values["weight"] for arm in arms} == {0.0, 5.0}
    assert len({tuple(canonical(space, arm.values).items()) for arm in arms}) == 4


def test_each_arm_is_set_against_the_baseline(space):
    design = leave_one_out("entropy", PARTS)
    contrasts = design.contrasts(design.arms(space, {}))
    assert [dict(c.weights) for c in contrasts] == [{f"without {part}": 1.0, "baseline": -1.0} for part in PARTS]
    assert design.knobs == ("weight", "loss", "every")


def test_no_components_are_no_design(space):
    with pytest.raises(RequestError, match="is empty"):
        leave_one_out("entropy", {}).arms(space, {})
