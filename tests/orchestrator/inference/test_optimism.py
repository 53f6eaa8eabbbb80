"""Oracle optimism by hand, and without bias whatever the rule has to do with the metric."""

from __future__ import annotations

import math

import numpy as np
import pytest

from orchestrator.inference.optimism import best_minus_chosen, crossed_gain


def test_both_choices_are_judged_on_the_half_on_which_neither_was_made():
    # on seeds 0 and 1 the metric prefers row 0 and the score row 1; on seeds 2 and 3 the other way round
    external = [[9.0, 9.0, 0.0, 0.0], [0.0, 0.0, 9.0, 9.0]]
    scores = [[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0]]
    found = crossed_gain(external, scores)
    # halves {0, 1} and {2, 3}: the oracle is wrong and the rule right by 9; of the four mixed halves each has a tie
    assert found.n_splits == 6 and found.agree == pytest.approx(4 / 6)
    assert found.gain == pytest.approx(2 * -9.0 / 6)


def test_a_row_that_lacks_a_value_is_left_out_and_one_that_the_rule_drops_only_for_the_rule():
    external = [[0.1, 0.1, 0.1, 0.1], [0.9, 0.9, 0.9, 0.9], [1.0, 1.0, 1.0, math.nan]]
    scores = [[1.0] * 4, [2.0] * 4, [3.0] * 4]
    dropped = [[True] * 4, [False] * 4, [True] * 4]
    assert crossed_gain(external, scores).gain == 0.0
    assert crossed_gain(external, scores, dropped).gain == pytest.approx(0.8)


@pytest.mark.parametrize("seeds", [1, 3])
def test_below_four_seeds_nothing_is_known(seeds):
    found = crossed_gain(np.zeros((3, seeds)), np.zeros((3, seeds)))
    assert math.isnan(found.gain) and found.n_splits == 0 and len(found.gains) == seeds


def test_a_rule_that_drops_everything_has_no_gain():
    assert math.isnan(crossed_gain(np.zeros((2, 4)), np.zeros((2, 4)), np.zeros((2, 4), dtype=bool)).gain)


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_equal_configurations_gain_nothing_whatever_the_rule_sees(correlation):
    random = np.random.default_rng(0)
    gains = []
    for _ in range(400):
        external = random.normal(0.6, 0.05, (24, 4))
        scores = correlation * external + 0.05 * random.normal(size=external.shape)
        gains.append(crossed_gain(external, scores).gain)
    assert abs(np.mean(gains)) < 3.5 * np.std(gains) / math.sqrt(len(gains))
    # judged on the seeds that chose, the oracle leads
    assert np.mean([random.normal(0.6, 0.05, (24, 4)).mean(axis=1).max() - 0.6 for _ in range(100)]) > 0.04


def test_the_best_epoch_of_a_flat_curve_is_noise_and_one_chosen_on_other_seeds_adds_nothing():
    random = np.random.default_rng(1)
    flat = random.normal(60.0, 1.0, (300, 20, 12))
    last = np.broadcast_to(np.arange(20.0)[:, None], (20, 12))
    assert np.mean([best_minus_chosen(one.T, [19] * 12) for one in flat]) > 1.5
    beyond = np.array([crossed_gain(one, last).gain for one in flat])
    assert abs(beyond.mean()) < 3.5 * beyond.std() / math.sqrt(len(beyond))
    falling = flat - np.linspace(0.0, 4.0, 20)[:, None] ** 1.0
    assert np.mean([crossed_gain(one, last).gain for one in falling]) > 2.0


def test_the_best_evaluation_by_hand():
    found = best_minus_chosen([[0.5, 0.9, 0.6], [0.1, math.nan, 0.3], [math.nan] * 3], chosen=[2, 2, 2])
    assert found[:2] == pytest.approx([0.3, 0.0]) and math.isnan(found[2])


def test_many_seeds_are_split_often_enough_that_every_seed_judges():
    found = crossed_gain(np.random.default_rng(2).normal(size=(3, 15)), np.ones((3, 15)))
    assert found.n_splits == 70 and np.isfinite(found.gains).all()
