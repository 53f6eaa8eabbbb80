"""The full grid: its cells, its main effects and trends against least squares, and what it refuses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from orchestrator.designs.grid import grid
from orchestrator.errors import RequestError

FACTORS = {"weight": [0.5, 2.0, 8.0], "loss": ["reverse", "forward"], "every": [1, 4]}


def test_every_combination_is_there_once_and_first_levels_make_the_baseline(space):
    arms = grid("entropy", FACTORS, {"lr": 0.5}).arms(space, {})
    cells = [(a.values["weight"], a.values["loss"], a.values["every"]) for a in arms]
    assert cells == list(itertools.product(*FACTORS.values()))
    assert [a.role for a in arms] == ["baseline"] + ["level"] * 11
    assert {a.values["lr"] for a in arms} == {0.5}
    assert arms[0].name == "weight=0.5, loss=reverse, every=1"


def test_an_effect_is_the_least_squares_coefficient_of_its_level(space):
    design = grid("entropy", FACTORS)
    arms = design.arms(space, {})
    y = np.random.default_rng(0).normal(size=len(arms))
    # dummy coding of an additive model, first levels as reference
    columns = [np.ones(len(arms))]
    columns += [np.array([a.values[f] == level for a in arms], float) for f in FACTORS for level in FACTORS[f][1:]]
    coefficients = np.linalg.lstsq(np.stack(columns, axis=1), y, rcond=None)[0][1:]
    values = dict(zip((a.name for a in arms), y, strict=True))
    found = [sum(w * values[arm] for arm, w in c.weights.items()) for c in design.contrasts(arms)]
    assert found == pytest.approx(coefficients)


def test_a_trend_is_the_fitted_change_from_the_first_to_the_last_level(space):
    design = grid("entropy", {"weight": [0.0, 1.0, 2.0, 3.0], "every": [1, 2]}, trends=True)
    arms = design.arms(space, {})
    trend, effect = design.contrasts(arms)
    y = np.random.default_rng(1).normal(size=(4, 2))
    values = {a.name: y[int(a.values["weight"]), a.values["every"] - 1] for a in arms}
    slope = np.polyfit(np.repeat(np.arange(4), 2), y.ravel(), 1)[0]
    assert sum(w * values[a] for a, w in trend.weights.items()) == pytest.approx(3 * slope)
    assert (trend.kind, effect.kind) == ("trend", "effect")


def test_weights_of_every_contrast_sum_to_zero_and_each_side_to_one(space):
    design = grid("entropy", FACTORS)
    for contrast in design.contrasts(design.arms(space, {})):
        weights = np.array(list(contrast.weights.values()))
        assert weights[weights > 0].sum() == pytest.approx(1) and weights.sum() == pytest.approx(0)


def test_labels_with_commas_do_not_mix_up_the_cells(space):
    design = grid("entropy", {"a": {"x, y": {"weight": 0.0}, "x": {"weight": 1.0}}, "every": [1, 2]})
    arms = design.arms(space, {})
    first, second = design.contrasts(arms)
    assert {arms[i].name for i in (2, 3)} == {arm for arm, w in first.weights.items() if w > 0}
    assert {arms[i].name for i in (1, 3)} == {arm for arm, w in second.weights.items() if w > 0}


@pytest.mark.parametrize(
    ("factors", "says"),
    [
        ({}, "is empty"),
        ({"weight": []}, "is empty"),
        ({"speed": [1]}, "unknown factor of entropy 'speed'"),
        ({"weight": [11.0]}, "entropy.weight = 11.0 is outside its domain"),
        ({"weight": [1.0, 1]}, "same configuration"),
        ({"loss": ["reverse"], "order": [1.0, 2.0]}, "same configuration"),
    ],
)
def test_a_wrong_grid_is_refused_in_one_line(space, factors, says):
    with pytest.raises(RequestError, match=says):
        grid("entropy", factors).arms(space, {})
