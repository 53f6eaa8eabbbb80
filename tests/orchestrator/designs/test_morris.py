"""Morris trajectories: one knob moves a step, by the standard distance; mu* of a known function comes back."""

from __future__ import annotations

import numpy as np
import pytest
from SALib.analyze import morris as analyse

from orchestrator.designs.morris import morris
from orchestrator.designs.screening import problem
from orchestrator.errors import RequestError

OVER = ("weight", "lr", "every")


def test_each_step_of_a_trajectory_moves_one_knob_by_delta():
    sample = morris("entropy", OVER, n_trajectories=6, n_levels=4).sample()
    assert sample.shape == (24, 3)
    for trajectory in sample.reshape(6, 4, 3):
        steps = np.abs(np.diff(trajectory, axis=0))
        assert np.array_equal(np.sort((steps > 0).sum(axis=0)), [1, 1, 1])
        assert steps[steps > 0] == pytest.approx(np.full(3, 2 / 3))  # delta = p / (2 (p - 1))


def test_the_sample_is_the_same_at_every_call():
    assert np.array_equal(morris("entropy", OVER).sample(), morris("entropy", OVER).sample())


def test_elementary_effects_of_a_known_function_come_back_through_the_arms(space):
    design = morris("entropy", OVER, n_trajectories=8)
    arms = design.arms(space, {})
    y = np.full(len(design.sample()), np.nan)
    for arm in arms:
        value = 2.0 * arm.values["weight"] / 10 - 1.0 * np.log10(arm.values["lr"] / 0.01) / 2
        y[[int(row) for row in arm.level.split(",")]] = value
    assert np.isfinite(y).all()
    found = analyse.analyze(problem(list(OVER)), design.sample(), y, num_levels=4, seed=0)
    assert list(found["mu_star"]) == pytest.approx([2.0, 1.0, 0.0], abs=1e-9)
    assert list(found["mu"]) == pytest.approx([2.0, -1.0, 0.0], abs=1e-9)


def test_morris_describes_and_tests_nothing(space):
    design = morris("entropy", OVER)
    assert design.contrasts(design.arms(space, {})) == () and design.knobs == OVER


@pytest.mark.parametrize(("trajectories", "levels"), [(1, 4), (4, 3), (4, 0)])
def test_a_wrong_budget_is_refused(space, trajectories, levels):
    with pytest.raises(RequestError, match=r"morris over entropy: n_(trajectories = 1|levels = [03]) is not allowed"):
        morris("entropy", OVER, n_trajectories=trajectories, n_levels=levels).arms(space, {})
