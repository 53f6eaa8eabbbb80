"""Tests and corrections against scipy, statsmodels and cases worked by hand."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from orchestrator.errors import RequestError
from orchestrator.inference.paired_tests import (
    deciding_interval_ends,
    deciding_p,
    holm,
    interquartile_mean,
    paired_t,
    probability_of_improvement,
    sign_test_p,
    tost,
    trend_weights,
    visibly_skewed,
    wilcoxon,
)
from orchestrator.inference.sign_flip import one_dominates, sign_flip_interval, sign_flip_p


@pytest.mark.slow
@pytest.mark.sample
@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=9))
def test_holm_agrees_with_statsmodels(p):
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)


def test_holm_by_hand_and_per_row_of_a_batch():
    p = np.array([[0.01, 0.04, 0.03], [0.5, 0.001, 0.5]])
    assert holm(p) == pytest.approx(np.array([[0.03, 0.06, 0.06], [1.0, 0.003, 1.0]]))


def test_holm_counts_a_refused_test_and_leaves_it_nan():
    corrected = holm([0.01, math.nan, 0.02])
    assert corrected[0] == pytest.approx(0.03) and corrected[2] == pytest.approx(0.04)
    assert math.isnan(corrected[1])


def test_tost_is_the_90_percent_interval_inside_the_margin():
    random = np.random.default_rng(0)
    for _ in range(60):
        differences = random.normal(random.uniform(-0.5, 0.5), 0.6, 9)
        inside = sign_flip_interval(differences, 0.90)
        worst = max(abs(inside.low), abs(inside.high))
        if one_dominates([differences + worst, differences - worst]).any():
            continue  # signs are counted there
        assert tost(differences, worst + 1e-6) <= 0.05 < tost(differences, worst - 1e-6)


def test_tost_by_hand():
    # four differences of 0 with margin 1: each one-sided test has all four on one side, 1 of 16 sign vectors
    assert tost([0.0, 0.0, 0.0, 0.0], 1.0) == 1 / 16
    assert tost([2.0, 2.0, 2.0, 2.0], 1.0) == 1.0


@pytest.mark.parametrize("margin", [0.0, -1.0, math.nan, math.inf])
def test_a_margin_that_is_no_positive_number_is_refused(margin):
    with pytest.raises(RequestError, match="margin"):
        tost([1.0, 2.0], margin)


def test_paired_t_agrees_with_scipy():
    differences = np.random.default_rng(1).normal(0.4, 1.0, 11)
    p, interval = paired_t(differences, 0.9)
    oracle = stats.ttest_1samp(differences, 0.0)
    assert p == pytest.approx(oracle.pvalue)
    assert (interval.low, interval.high) == pytest.approx(tuple(oracle.confidence_interval(0.9)))
    assert paired_t([*differences, math.nan], 0.9)[0] == p


def test_paired_t_of_equal_differences_and_of_one_pair():
    assert paired_t([2.0, 2.0])[0] == 0.0
    assert paired_t([0.0, 0.0])[0] == 1.0
    p, interval = paired_t([1.0])
    assert math.isnan(p) and not interval.attainable


def test_wilcoxon_by_hand():
    # ranks 1..5 all positive: 2 of 32 sign vectors; a zero difference is left out
    assert wilcoxon([1.0, 2.0, 3.0, 4.0, 5.0, 0.0]) == 2 / 32
    assert wilcoxon([0.0, 0.0]) == 1.0
    # W+ = 1: {} and {1} on either side
    assert wilcoxon([1.0, -2.0, -3.0, -4.0]) == pytest.approx(4 / 16)


def test_the_sign_test_by_hand_leaves_zeros_and_missing_pairs_out():
    rows = [[1.0, 2.0, 0.5, -1.0, 0.0, math.nan], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [0.0] * 6]
    assert sign_test_p(rows) == pytest.approx([2 * 5 / 16, 2 / 64, 1.0])
    assert sign_test_p(rows, "greater") == pytest.approx([5 / 16, 1 / 64, 1.0])


def test_signs_decide_where_one_difference_dominates_whatever_its_sign():
    row = np.array([0.4, -0.3, 0.5, 0.2, 0.4, 0.3, 0.5, 60.0])
    for sign in (1.0, -1.0):
        row[-1] = sign * 60.0
        assert one_dominates(row) and deciding_p(row) == sign_test_p(row) != sign_flip_p(row)
    assert not one_dominates(row[:-1]) and deciding_p(row[:-1]) == sign_flip_p(row[:-1])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 100), min_size=2, max_size=8))
def test_no_flip_of_signs_changes_which_test_decides(sizes):
    flips = np.array(list(product([1.0, -1.0], repeat=len(sizes)))) * np.array(sizes)
    assert len(set(one_dominates(flips).tolist())) == 1


def test_the_deciding_test_is_exact_over_all_sign_vectors():
    for sizes in ([0.1, 0.4, 0.3, 0.2, 0.5, 0.6, 0.35, 90.0], [0.1, 0.4, 0.3, 0.2, 0.5, 0.6, 0.35, 0.9]):
        orbit = np.array(list(product([1.0, -1.0], repeat=8))) * np.array(sizes)
        p = deciding_p(orbit)
        assert all(np.mean(p <= level) <= level for level in (0.01, 0.02, 0.05, 0.1, 0.3))


def test_where_signs_decide_the_interval_is_that_of_the_median():
    row = np.array([[0.4, 0.3, 0.5, 0.2, 0.45, 0.35, 0.55, -60.0, math.nan]])
    low, high, attained = deciding_interval_ends(row, 0.95)
    # of eight values the smallest and the largest: 1 - 2 / 2^8
    assert (low[0], high[0], attained[0]) == (-60.0, 0.55, 1 - 2 / 256)
    low, high, attained = deciding_interval_ends(row[:, 3:], 0.95)
    assert (low[0], high[0]) == (-math.inf, math.inf) and math.isnan(attained[0])


def test_skewness_is_seen_where_it_is_large():
    random = np.random.default_rng(3)
    assert visibly_skewed(random.normal(size=(4000, 12))).mean() == pytest.approx(0.01, abs=0.007)
    assert visibly_skewed(random.lognormal(size=(500, 20))).mean() > 0.6
    assert not visibly_skewed([[1.0] * 12, [1.0, 2.0, 90.0] + [math.nan] * 9]).any()


def test_interquartile_mean_and_probability_of_improvement_by_hand():
    assert interquartile_mean([100.0, 1.0, 2.0, -50.0]) == 1.5
    assert interquartile_mean([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, math.nan]) == 4.5
    assert probability_of_improvement([1.0, 2.0, 0.0, -3.0, math.nan]) == 0.625


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=3, max_size=7, unique_by=lambda x: round(x, 2)), st.floats(-3, 3))
def test_trend_is_the_change_over_the_range_of_a_straight_line(levels, slope):
    weights = np.array(trend_weights(levels))
    assert weights.sum() == pytest.approx(0.0, abs=1e-9)
    line = 0.7 + slope * np.array(levels)
    assert weights @ line == pytest.approx(slope * (max(levels) - min(levels)), abs=1e-8)


def test_logarithmic_trend_sees_equal_steps_between_decades():
    assert trend_weights([1, 10, 100], log=True) == pytest.approx((-1.0, 0.0, 1.0))
    with pytest.raises(RequestError, match="positive"):
        trend_weights([0, 1], log=True)
    with pytest.raises(RequestError, match="two different"):
        trend_weights([3.0, 3.0])
