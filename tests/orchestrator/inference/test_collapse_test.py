"""How often arms work: exactness by enumeration, what is needed, what it costs, and the bounds."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from orchestrator.inference.collapse_test import (
    collapse_of,
    critical,
    detectable_rate,
    paired_collapse_p,
    unlikely_to_show,
    upper_bound,
)


def rejected(n, level, share):
    """Chance of p <= level if a seed is discordant with this probability, either way alike: by adding up outcomes."""
    total = 0.0
    for first, second in product(range(n + 1), repeat=2):
        if first + second <= n:
            same = n - first - second
            chance = stats.multinomial.pmf([first, second, same], n, [share / 2, share / 2, 1 - share])
            total += chance * (paired_collapse_p(first, second, n) <= level)
    return total


@pytest.mark.parametrize("n", [6, 9, 12])
@pytest.mark.parametrize("level", [0.05, 0.04, 0.01])
def test_whatever_the_share_of_discordant_seeds_the_level_is_held(n, level):
    worst = max(rejected(n, level, share) for share in np.linspace(0.02, 1.0, 50))
    assert worst <= level * (1 + 1e-9)


@pytest.mark.parametrize("n", [6, 12])
def test_what_a_test_costs_is_its_size_given_that_it_comes_close_to_speaking(n):
    found = critical(n, 0.04)
    for share in np.linspace(0.05, 1.0, 30):
        able = stats.binom.sf(found.needed - 2, n, share)
        assert rejected(n, 0.04, share) <= found.cost * able * (1 + 1e-6)


def test_one_seed_fewer_than_the_sign_test_is_enough():
    assert stats.binomtest(5, 5).pvalue == 0.0625
    assert paired_collapse_p(5, 0, 12) <= 0.04 < paired_collapse_p(4, 0, 12)
    assert [critical(12, 0.04 / m).needed for m in (1, 5, 10)] == [5, 7, 9]
    # mixed outcomes are not sharpened beyond those that are as extreme
    assert paired_collapse_p(9, 2, 20) == pytest.approx(stats.binomtest(2, 11).pvalue, abs=0.01)


def test_p_is_that_of_the_two_sided_test_either_way_round_and_one_without_discordant_seeds():
    found = paired_collapse_p([3, 8, 0], [8, 3, 0], [20, 20, 20])
    assert found[0] == found[1] and found[2] == 1.0


def test_fewer_seeds_than_are_needed_show_nothing_and_cost_nothing():
    found = critical(6, 0.004)
    assert found.needed > 6 and found.cost == 0.0


def test_shares_of_pooled_arms_are_flipped_seed_by_seed():
    shares = np.array([0.25, 0.5, 0.25, 0.75, 0.25, 0.0, math.nan])
    p, cost = collapse_of(shares, 0.04, two_arms=False)
    assert p == pytest.approx(2 / 2**5) and cost == 0.0  # five seeds that differ cannot reach .04
    more, cost = collapse_of(np.r_[shares, 0.25], 0.04, two_arms=False)
    assert more == pytest.approx(2 / 2**6) and cost == pytest.approx(0.04)


def test_two_arms_cost_nothing_before_they_come_within_one_seed_of_speaking():
    shares = np.zeros((3, 12))
    shares[1, :3], shares[2, :4] = 1.0, 1.0
    _, cost = collapse_of(shares, 0.04, two_arms=True)
    assert cost[0] == cost[1] == 0.0 < cost[2] <= 0.04


@pytest.mark.parametrize(("events", "n", "bound"), [(0, 12, 0.2209), (0, 20, 0.1391), (3, 20, 0.3437), (12, 12, 1.0)])
def test_what_events_still_allow(events, n, bound):
    assert upper_bound(events, n) == pytest.approx(bound, abs=5e-4)
    if events < n:
        assert stats.binom.cdf(events, n, upper_bound(events, n)) == pytest.approx(0.05)


@pytest.mark.parametrize(("n", "needed"), [(12, 5), (40, 7), (6, 6)])
def test_the_rate_that_is_found_with_some_power(n, needed):
    assert stats.binom.sf(needed - 1, n, detectable_rate(n, needed, 0.8)) == pytest.approx(0.8)
    assert detectable_rate(4, 5, 0.8) == math.inf


def test_no_seeds_allow_everything():
    assert upper_bound(0, 0) == 1.0


def test_whether_more_seeds_may_show_that_one_side_works_more_often():
    assert unlikely_to_show((0, 0), 10, 40, 0.04)
    assert unlikely_to_show((2, 2), 20, 40, 0.04)
    assert not unlikely_to_show((3, 0), 10, 40, 0.04)
    assert unlikely_to_show((3, 0), 10, 10, 0.04)
