"""One factor at a time: the arms, the contrasts, and the designs that are refused."""

import pytest

from orchestrator.designs.fixed import fixed
from orchestrator.designs.one_factor import one_factor
from orchestrator.errors import RequestError
from orchestrator.knobs import Choice, Float, Knob

SPACE = {
    "weight": Knob(1.0, Float(0.0, 10.0), fuses=True),
    "loss": Knob("reverse", Choice("reverse", "forward")),
    "lr": Knob(0.1, Float(0.01, 1.0), fuses=True),
}


def test_the_baseline_comes_first_and_each_level_changes_one_thing():
    arms = one_factor("entropy", {"weight": [0.0, 5.0], "loss": ["forward"]}, {"lr": 0.5}).arms(SPACE, {})
    assert [arm.name for arm in arms] == ["baseline", "weight=0", "weight=5", "loss=forward"]
    assert arms[0].role == "baseline"
    assert dict(arms[1].values) == {"lr": 0.5, "weight": 0.0}
    assert dict(arms[3].values) == {"lr": 0.5, "loss": "forward"}


def test_what_a_search_chose_comes_on_top_of_the_base():
    arms = one_factor("entropy", {"loss": ["forward"]}, {"lr": 0.5, "weight": 2.0}).arms(SPACE, {"lr": 0.2})
    assert dict(arms[0].values) == {"lr": 0.2, "weight": 2.0}


def test_a_level_may_set_several_knobs_under_one_label():
    arms = one_factor("entropy", {"regularisation": {"off": {"weight": 0.0, "loss": "forward"}}}).arms(SPACE, {})
    assert arms[1].name == "regularisation=off"
    assert dict(arms[1].values) == {"weight": 0.0, "loss": "forward"}


def test_every_level_is_contrasted_with_the_baseline():
    design = one_factor("entropy", {"weight": [0.0], "loss": ["forward"]})
    contrasts = design.contrasts(design.arms(SPACE, {}))
    assert [dict(c.weights) for c in contrasts] == [
        {"weight=0": 1.0, "baseline": -1.0},
        {"loss=forward": 1.0, "baseline": -1.0},
    ]


@pytest.mark.parametrize(
    ("factors", "says"),
    [
        ({"weight": [11.0]}, "entropy.weight = 11.0 is outside its domain: a number from 0 to 10"),
        ({"speed": [1.0]}, "unknown factor of entropy 'speed'; there are: loss, lr, weight"),
        ({"weight": []}, "is empty"),
        ({"weight": [1.0]}, "'weight=1' of entropy is the same configuration as 'baseline'"),
        ({"weight": [2.0, 2]}, "the same configuration as 'weight=2'"),
        ({"weight": {"a": {"lr": 9.0}}}, "entropy.lr = 9.0"),
    ],
)
def test_a_wrong_design_is_refused_in_one_line(factors, says):
    with pytest.raises(RequestError) as caught:
        one_factor("entropy", factors).arms(SPACE, {})
    assert says in str(caught.value)


def test_a_fixed_design_is_one_arm_without_contrasts():
    design = fixed("entropy", lr=0.3)
    (arm,) = design.arms(SPACE, {})
    assert dict(arm.values) == {"lr": 0.3}
    assert design.contrasts([arm]) == ()
