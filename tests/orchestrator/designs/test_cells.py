"""Cells that mean one configuration: trained once, and contrasts that still ask what their names say."""

import itertools

import numpy as np
import pytest

from orchestrator.designs.cells import level_effect, lines_along, proportional, signed_sum, trend_over
from orchestrator.designs.factorial import factorial
from orchestrator.designs.fractional_factorial import fractional_factorial
from orchestrator.designs.grid import grid
from orchestrator.designs.one_factor import one_factor
from orchestrator.errors import RequestError
from orchestrator.knobs import canonical

GRID = {(a, b): f"{a}{b}" for a, b in itertools.product(range(2), range(3))}


def test_an_effect_is_the_mean_of_the_differences_along_its_factor():
    assert level_effect(lines_along(GRID, 0), 1) == pytest.approx(
        {"10": 1 / 3, "11": 1 / 3, "12": 1 / 3, "00": -1 / 3, "01": -1 / 3, "02": -1 / 3}
    )
    assert level_effect(lines_along(GRID, 1), 2) == {"02": 0.5, "12": 0.5, "00": -0.5, "10": -0.5}


def test_a_line_of_one_arm_says_nothing_about_its_factor_and_does_not_dilute_it():
    inert = {cell: "off" if cell[0] else arm for cell, arm in GRID.items()}
    assert level_effect(lines_along(inert, 1), 1) == {"01": 1.0, "00": -1.0}
    assert level_effect(lines_along(inert, 0), 1) == pytest.approx(
        {"off": 1.0, "00": -1 / 3, "01": -1 / 3, "02": -1 / 3}
    )
    assert trend_over(lines_along(inert, 1)) == {"00": -1.0, "02": 1.0}
    assert (
        level_effect(lines_along(dict.fromkeys(GRID, "all"), 1), 1)
        == {}
        == trend_over(lines_along(dict.fromkeys(GRID, "all"), 1))
    )


def test_a_trend_over_merged_cells_is_the_least_squares_slope_where_the_factor_matters():
    y = np.random.default_rng(0).normal(size=3)
    weights = trend_over(lines_along({cell: "off" if cell[0] else arm for cell, arm in GRID.items()}, 1))
    values = dict(zip(("00", "01", "02"), y, strict=True))
    assert sum(w * values[arm] for arm, w in weights.items()) == pytest.approx(2 * np.polyfit([0, 1, 2], y, 1)[0])


def test_contrasts_that_differ_by_a_factor_ask_the_same():
    assert proportional({"a": 1.0, "b": -1.0}, {"a": -0.5, "b": 0.5})
    assert not proportional({"a": 1.0, "b": -1.0}, {"a": 1.0, "b": -0.5, "c": -0.5})
    assert not proportional({"a": 1.0, "b": -0.5, "c": -0.5}, {"a": 1.0, "b": -0.4, "c": -0.6})
    assert signed_sum(["a", "b", "b", "a"], [1, -1, 1, -1]) == {}


# order has an effect under the forward loss only
CONDITIONAL = {"loss": ["reverse", "forward"], "order": [1.0, 3.0]}


def configurations(arms, space):
    return [tuple(canonical(space, arm.values).items()) for arm in arms]


@pytest.mark.parametrize("design", [grid, factorial])
def test_cells_in_which_a_knob_has_no_effect_are_one_arm(space, design):
    made = design("entropy", CONDITIONAL)
    arms = made.arms(space, {})
    assert [(arm.name, arm.also) for arm in arms] == [
        ("loss=reverse, order=1", ("loss=reverse, order=3",)),
        ("loss=forward, order=1", ()),
        ("loss=forward, order=3", ()),
    ]
    assert len(set(configurations(arms, space))) == 3
    found = {one.factor: dict(one.weights) for one in made.contrasts(arms)}
    assert found == {
        "loss": {"loss=forward, order=1": 0.5, "loss=forward, order=3": 0.5, "loss=reverse, order=1": -1.0},
        "order": {"loss=forward, order=3": 1.0, "loss=forward, order=1": -1.0},
    }


def test_cells_that_differ_stay_apart_whatever_is_merged_beside_them(space):
    arms = grid("entropy", {**CONDITIONAL, "every": [1, 4], "weight": [0.5, 2.0]}).arms(space, {})
    assert len(arms) == 12
    assert len(set(configurations(arms, space))) == 12
    assert sum(1 + len(arm.also) for arm in arms) == 16


def test_a_merged_factorial_still_finds_the_effects_of_an_additive_response(space):
    made = factorial("entropy", {**CONDITIONAL, "every": (1, 4)})
    arms = made.arms(space, {})
    y = {
        arm.name: 3.0 * (v["loss"] == "forward") + 2.0 * (v["every"] == 4) + (v["order"] == 3.0)
        for arm in arms
        for v in (canonical(space, arm.values),)
    }
    found = {one.factor: sum(w * y[arm] for arm, w in one.weights.items()) for one in made.contrasts(arms)}
    assert found["every"] == pytest.approx(2.0)
    assert found["order"] == pytest.approx(1.0)
    assert found["loss"] == pytest.approx(3.5)


def test_a_fraction_with_merged_runs_keeps_its_runs(space):
    made = fractional_factorial("entropy", {**CONDITIONAL, "weight": (0.5, 2.0)}, {"weight": ("loss", "order")})
    arms = made.arms(space, {})
    assert len(arms) == 4  # runs that merge in loss and order differ in weight
    assert len(made.contrasts(arms)) == 3


def test_one_factor_leaves_out_a_level_that_has_no_effect_and_keeps_its_name(space):
    made = one_factor("entropy", {"order": [1.0, 3.0], "weight": [0.0]})
    baseline, other = made.arms(space, {})
    assert baseline.also == ("order=1", "order=3")
    assert [one.name for one in made.contrasts([baseline, other])] == ["weight=0 vs baseline"]


@pytest.mark.parametrize("design", [one_factor, grid])
def test_a_design_of_which_nothing_is_left_is_refused(space, design):
    with pytest.raises(RequestError, match="is the same configuration as"):
        design("entropy", {"order": [1.0, 3.0]}).arms(space, {})
