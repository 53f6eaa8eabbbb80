"""Power and reachability: floors by hand, the t-test's power from statsmodels, and the sign-flip test simulated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from orchestrator.errors import RequestError
from orchestrator.inference.power import (
    Replication,
    Spread,
    assess,
    detectable_difference,
    power_of,
    seeds_to_detect,
    seeds_to_reach,
    smallest_corrected_p,
    spread_of,
)
from orchestrator.inference.sequential import Looks, sequential_p
from orchestrator.inference.sign_flip import sign_flip_p


def test_floors_of_the_exact_test():
    assert smallest_corrected_p(5) == 0.0625
    assert smallest_corrected_p(6) == 0.03125
    assert smallest_corrected_p(6, contrasts=3) == pytest.approx(0.09375)
    assert smallest_corrected_p(2, contrasts=9) == 1.0
    assert [seeds_to_reach(m) for m in (1, 2, 5, 49)] == [6, 7, 8, 11]


@pytest.mark.parametrize("contrasts", [1, 3, 20])
def test_the_fewest_seeds_reach_alpha_and_one_less_does_not(contrasts):
    n = seeds_to_reach(contrasts)
    assert smallest_corrected_p(n, contrasts) <= 0.05 < smallest_corrected_p(n - 1, contrasts)
    assert assess(Replication(n, contrasts)).reachable
    assert not assess(Replication(n - 1, contrasts)).reachable
    assert detectable_difference(1.0, Replication(n - 1, contrasts)) == math.inf


def test_with_many_seeds_power_is_that_of_the_t_test():
    for n, effect in [(20, 0.66), (40, 0.4), (30, 1.0)]:
        oracle = TTestPower().power(effect, n, 0.05)
        assert power_of(effect, 1.0, Replication(n)) == pytest.approx(oracle, abs=0.004)
    assert detectable_difference(1.0, Replication(20)) == pytest.approx(0.66, abs=0.01)


@pytest.mark.parametrize(("n", "contrasts"), [(6, 1), (9, 3), (12, 10), (13, 3)])
def test_power_agrees_with_simulation(n, contrasts):
    replication = Replication(n, contrasts)
    effect = detectable_difference(2.0, replication)
    random = np.random.default_rng(n)
    for share in (1.0, 0.6):
        found = np.mean(sign_flip_p(random.normal(share * effect, 2.0, (2000, n))) <= 0.05 / contrasts * (1 + 1e-9))
        assert power_of(share * effect, 2.0, replication) == pytest.approx(found, abs=0.05)


def test_power_of_looks_agrees_with_simulation():
    looks = Looks((6, 12))
    replication = Replication(12, 1, looks=looks)
    effect = detectable_difference(1.0, replication)
    rows = np.random.default_rng(0).normal(effect, 1.0, (600, 12))
    found = np.mean(sequential_p(rows, looks)[:, -1] <= 0.05 * (1 + 1e-9))
    assert found == pytest.approx(0.8, abs=0.05)
    assert effect > detectable_difference(1.0, Replication(12))


def test_detectable_difference_scales_with_the_spread_and_falls_with_seeds():
    by_seeds = [detectable_difference(1.0, Replication(n, 2)) for n in (8, 10, 14, 20, 40)]
    assert by_seeds == sorted(by_seeds, reverse=True)
    assert detectable_difference(3.0, Replication(14, 2)) == pytest.approx(3 * by_seeds[2])


def test_seeds_to_detect_is_the_smallest_that_does():
    n = seeds_to_detect(0.7, 1.0, contrasts=2)
    assert power_of(0.7, 1.0, Replication(n, 2)) >= 0.8 > power_of(0.7, 1.0, Replication(n - 1, 2))
    assert seeds_to_detect(1e-3, 1.0) == 0


def test_the_spread_has_the_chi_square_interval_of_its_degrees_of_freedom():
    low, high = Spread(2.0, 9).interval()
    assert stats.chi2.cdf(9 * 4 / high**2, 9) == pytest.approx(0.025)
    assert stats.chi2.cdf(9 * 4 / low**2, 9) == pytest.approx(0.975)
    assert Spread(2.0).interval() == (2.0, 2.0)
    covered = 0
    random = np.random.default_rng(1)
    for _ in range(1000):
        low, high = Spread(random.normal(0, 1, 10).std(ddof=1), 9).interval()
        covered += low <= 1.0 <= high
    assert covered == pytest.approx(950, abs=25)


def test_the_report_carries_the_uncertainty_of_the_spread_over():
    report = assess(Replication(10, 3), Spread(0.05, 9))
    low, high = Spread(0.05, 9).interval()
    assert report.detectable == pytest.approx(detectable_difference(0.05, Replication(10, 3)))
    assert report.detectable_interval == pytest.approx(
        (report.detectable * low / 0.05, report.detectable * high / 0.05)
    )
    assert math.isnan(assess(Replication(10, 3)).detectable)


def test_the_ledgers_spread_pools_variances_but_not_degrees_of_freedom():
    rows = np.array([[1.0, 2.0, 3.0, math.nan], [0.0, 4.0, 0.0, 4.0], [1.0, math.nan, math.nan, math.nan]])
    spread = spread_of(rows)
    assert spread is not None and spread.df == 3
    assert spread.sd == pytest.approx(math.sqrt((1.0 + 16 / 3) / 2))
    assert spread_of([[1.0, 1.0]]) is None and spread_of([[1.0]]) is None


def test_wrong_requests_are_one_line():
    with pytest.raises(RequestError, match="spread"):
        Spread(0.0)
    with pytest.raises(RequestError, match="0 contrasts"):
        Replication(10, 0)
