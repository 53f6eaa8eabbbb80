"""Saltelli samples: their size and structure; S1 and ST of a known function come back through the arms."""

from __future__ import annotations

import numpy as np
import pytest
from SALib.analyze import sobol as analyse

from orchestrator.designs.screening import problem
from orchestrator.designs.sobol import sobol
from orchestrator.errors import RequestError
from orchestrator.knobs import Float, Knob

OVER = ("a", "b")
SPACE = {name: Knob(0.5, Float(0.0, 1.0)) for name in OVER}


def test_the_sample_holds_base_and_radial_points():
    sample = sobol("m", OVER, n_base=8).sample()
    assert sample.shape == (8 * 4, 2)
    for first, swap_a, swap_b, second in sample.reshape(8, 4, 2):  # A, A with a of B, A with b of B, B
        assert np.array_equal(swap_a, [second[0], first[1]]) and np.array_equal(swap_b, [first[0], second[1]])


def test_indices_of_a_known_function_come_back_through_the_arms():
    design = sobol("m", OVER, n_base=512)
    y = np.full(len(design.sample()), np.nan)
    for arm in design.arms(SPACE, {}):
        y[[int(row) for row in arm.level.split(",")]] = arm.values["a"] * 3 + arm.values["b"]
    found = analyse.analyze(problem(list(OVER)), y, calc_second_order=False, seed=0)
    # additive: variances 9/12 and 1/12, so S1 = ST = 0.9 and 0.1
    assert list(found["S1"]) == pytest.approx([0.9, 0.1], abs=0.02)
    assert list(found["ST"]) == pytest.approx([0.9, 0.1], abs=0.02)


def test_sobol_describes_and_tests_nothing():
    design = sobol("m", OVER)
    assert design.contrasts(design.arms(SPACE, {})) == () and design.knobs == OVER


@pytest.mark.parametrize("n_base", [0, 1, 12])
def test_the_base_sample_is_a_power_of_two(n_base):
    with pytest.raises(RequestError, match="it is a power of 2 from 2"):
        sobol("m", OVER, n_base=n_base).arms(SPACE, {})
