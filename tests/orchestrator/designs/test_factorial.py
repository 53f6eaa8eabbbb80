"""Two-level factorials: runs, effects and interactions against least squares and a hand-computed example."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from orchestrator.designs.factorial import factorial
from orchestrator.errors import RequestError

FACTORS = {"weight": (0.5, 8.0), "loss": ("reverse", "forward"), "every": (1, 4)}


def values_of(contrasts, arms, y):
    by_name = dict(zip((arm.name for arm in arms), y, strict=True))
    return [sum(w * by_name[arm] for arm, w in contrast.weights.items()) for contrast in contrasts]


def test_all_runs_are_there_once_and_the_low_one_is_the_baseline(space):
    arms = factorial("entropy", FACTORS, {"lr": 0.5}).arms(space, {})
    cells = [tuple(arm.values[factor] for factor in FACTORS) for arm in arms]
    assert sorted(map(str, cells)) == sorted(map(str, itertools.product(*FACTORS.values())))
    (baseline,) = (arm for arm in arms if arm.role == "baseline")
    assert baseline.name == "weight=0.5, loss=reverse, every=1"


def test_effects_are_twice_the_coefficients_of_the_coded_model(space):
    design = factorial("entropy", FACTORS)
    arms = design.arms(space, {})
    y = np.random.default_rng(0).normal(size=8)
    signs = np.array([[1 if arm.values[f] == FACTORS[f][1] else -1 for f in FACTORS] for arm in arms], float)
    words = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)]
    model = np.stack([np.ones(8)] + [signs[:, list(word)].prod(axis=1) for word in words], axis=1)
    coefficients = np.linalg.lstsq(model, y, rcond=None)[0][1:]
    assert values_of(design.contrasts(arms), arms, y) == pytest.approx(2 * coefficients)


def test_a_textbook_example(space):
    """Montgomery, Design and Analysis of Experiments, table 6.1: yields 28 36 18 31 (mean of 3), A and B."""
    design = factorial("entropy", {"weight": (1.0, 2.0), "every": (1, 2)})
    arms = design.arms(space, {})
    yields = {(1.0, 1): 80 / 3, (2.0, 1): 100 / 3, (1.0, 2): 60 / 3, (2.0, 2): 90 / 3}
    y = [yields[arm.values["weight"], arm.values["every"]] for arm in arms]
    assert values_of(design.contrasts(arms), arms, y) == pytest.approx([50 / 6, -30 / 6, 10 / 6])


def test_interactions_can_be_left_out(space):
    design = factorial("entropy", FACTORS, interactions=False)
    assert [c.kind for c in design.contrasts(design.arms(space, {}))] == ["effect"] * 3


@pytest.mark.parametrize(
    ("factors", "says"),
    [
        ({}, "is empty"),
        ({"weight": (1.0, 2.0, 3.0)}, "factor 'weight' of entropy has 3 levels; a two-level design takes two"),
        ({"weight": (1.0,)}, "has 1 levels"),
        ({"weight": (1.0, 11.0)}, "entropy.weight = 11.0"),
        ({"weight": (1.0, 1)}, "same configuration"),
        ({"speed": (1, 2)}, "unknown factor of entropy 'speed'"),
    ],
)
def test_a_wrong_factorial_is_refused_in_one_line(space, factors, says):
    with pytest.raises(RequestError, match=says):
        factorial("entropy", factors).arms(space, {})
