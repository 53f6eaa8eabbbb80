"""The sign-flip test against enumeration by hand and scipy, and its interval against the test it inverts."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from orchestrator.errors import RequestError
from orchestrator.inference.sign_flip import flip_group, interval_ends, sign_flip_interval, sign_flip_p


def by_hand(differences, alternative="two-sided"):
    """Share of all sign vectors at least as extreme, counted one by one."""
    signs = np.array(list(product([1.0, -1.0], repeat=len(differences))))
    sums, total = signs @ differences, np.sum(differences)
    if alternative == "greater":
        return np.mean(sums >= total - 1e-9)
    return np.mean(np.abs(sums) >= abs(total) - 1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-6, 6), min_size=1, max_size=9))
def test_every_sign_vector_is_counted_also_with_ties_and_zeros(differences):
    assert sign_flip_p(differences) == by_hand(np.array(differences, dtype=float))
    assert sign_flip_p(differences, "greater") == by_hand(np.array(differences, dtype=float), "greater")


@pytest.mark.parametrize("n", [5, 8, 13])
@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
def test_p_equals_the_exact_permutation_test_of_scipy(n, alternative):
    differences = np.random.default_rng(n).normal(0.5, 1.0, n)
    oracle = stats.permutation_test(
        (differences,),
        lambda d, axis: np.sum(d, axis=axis),
        permutation_type="samples",
        n_resamples=2**n,
        alternative=alternative,
        vectorized=True,
    )
    assert sign_flip_p(differences, alternative) == pytest.approx(oracle.pvalue, abs=1e-12)


def test_no_p_is_below_the_floor_and_the_floor_is_reached():
    for n in (2, 5, 6, 20):
        assert sign_flip_p(np.arange(1.0, n + 1)) == 2.0 ** (1 - n)


def test_rows_of_a_batch_are_tested_as_if_alone_and_missing_pairs_are_left_out():
    rows = np.random.default_rng(3).normal(0.3, 1.0, (4, 3, 24))
    rows[0, 0, 5:] = np.nan
    rows[1, 1, ::2] = np.nan
    rows[2, 2] = np.nan
    batch = sign_flip_p(rows)
    for index in np.ndindex(4, 3):
        assert batch[index] == sign_flip_p(rows[index][np.isfinite(rows[index])])
    assert batch[2, 2] == 1.0


def test_one_far_too_small_difference_does_not_hide_in_rounding():
    large = np.array([1e8, -1e8, 1e8, 3e8, 2e8, 5e8])
    assert sign_flip_p(large) == sign_flip_p(large / 1e8) == by_hand(large / 1e8)


def test_beyond_twenty_pairs_the_sampled_p_is_close_to_the_exact_one():
    # with ties only, the exact p is binomial: 30 equal magnitudes, 21 of them positive
    differences = np.repeat([1.0, -1.0], [21, 9])
    exact = 2 * stats.binom.sf(20, 30, 0.5)
    assert sign_flip_p(differences) == pytest.approx(exact, rel=0.15)
    assert sign_flip_p(differences) == sign_flip_p(differences)
    assert sign_flip_p(np.ones(30)) <= 2.0**-15


@pytest.mark.parametrize("n", [5, 9, 30])
@pytest.mark.parametrize("fix_first", [True, False])
def test_sampled_sign_vectors_form_a_group_of_different_elements(n, fix_first):
    group = flip_group(n, 7, fix_first=fix_first)
    known = {row.tobytes() for row in group}
    assert len(known) == len(group) == 2 ** min(7, n - fix_first)
    assert np.all(group[0] == 1.0)
    products = (group[:, None] * group[None, ::5]).reshape(-1, n)
    assert {row.tobytes() for row in products} <= known
    # pairwise independent signs: no two seeds are always flipped together
    free = group[:, 1:] if fix_first else group
    assert np.allclose(np.abs(free.T @ free / len(group) - np.eye(free.shape[1])), 0.0)


def test_six_pairs_give_the_range_and_five_pairs_cannot_give_95_percent():
    six = sign_flip_interval([0.1, 0.9, -0.4, 0.3, 0.2, 0.5])
    assert (six.low, six.high) == (-0.4, 0.9)
    assert six.attainable and six.attained == 0.96875
    five = sign_flip_interval([0.1, 0.9, -0.4, 0.3, 0.2])
    assert (five.low, five.high) == (-math.inf, math.inf)
    assert not five.attainable and math.isnan(five.attained)


def test_interval_ends_are_subset_means():
    differences = np.random.default_rng(0).normal(size=8)
    masks = np.array(list(product([0.0, 1.0], repeat=8)))[1:]
    means = np.sort(masks @ differences / masks.sum(axis=1))
    interval = sign_flip_interval(differences)  # level .05 of 128 sign vectors: rank 6
    assert interval.low == pytest.approx(means[5], abs=1e-9)
    assert interval.high == pytest.approx(means[-6], abs=1e-9)


@pytest.mark.parametrize("n", [6, 11, 20, 21, 40])
def test_interval_holds_exactly_the_centres_that_the_test_does_not_reject(n):
    rows = np.random.default_rng(n).standard_t(3, (3, n))
    low, high, attained = interval_ends(rows, 0.95)
    assert np.all(attained >= 0.95)
    for row, a, b in zip(rows, low, high, strict=True):
        step = 1e-7 * (b - a)
        assert sign_flip_p(row - (a - step)) <= 0.05 < sign_flip_p(row - (a + step))
        assert sign_flip_p(row - (b + step)) <= 0.05 < sign_flip_p(row - (b - step))


def test_interval_moves_and_scales_with_the_data():
    differences = np.random.default_rng(5).normal(size=12)
    plain, moved = sign_flip_interval(differences), sign_flip_interval(3.0 - 2.0 * differences)
    assert moved.low == pytest.approx(3.0 - 2.0 * plain.high, abs=1e-8)
    assert moved.high == pytest.approx(3.0 - 2.0 * plain.low, abs=1e-8)


def test_rows_with_missing_pairs_get_the_interval_of_what_is_there():
    rows = np.random.default_rng(6).normal(size=(2, 10))
    rows[1, [2, 7, 8]] = np.nan
    low, high, _ = interval_ends(rows, 0.9)
    for row, a, b in zip(rows, low, high, strict=True):
        alone = sign_flip_interval(row[np.isfinite(row)], 0.9)
        assert (alone.low, alone.high) == (a, b)


def test_a_confidence_outside_zero_one_is_refused():
    with pytest.raises(RequestError, match=r"confidence 95"):
        sign_flip_interval([1.0, 2.0], 95)
