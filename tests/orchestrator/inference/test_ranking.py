"""Friedman and the critical difference against scipy and the tables of Demšar 2006."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from orchestrator.errors import RequestError
from orchestrator.inference.ranking import critical_difference, friedman


def test_friedman_agrees_with_scipy_and_ranks_the_largest_first():
    values = np.random.default_rng(0).normal([0.0, 2.0, 1.0, 0.0], 1.0, (8, 4))
    p, ranks = friedman(values)
    assert p == pytest.approx(stats.friedmanchisquare(*values.T).pvalue)
    assert np.argmin(ranks) == 1 and ranks.sum() == pytest.approx(10.0)


@pytest.mark.parametrize(("k", "q"), [(3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)])
def test_critical_difference_uses_the_published_quantiles(k, q):
    values = np.random.default_rng(k).normal(size=(12, k))
    found = critical_difference(values, [f"m{i}" for i in range(k)])
    assert found.difference == pytest.approx(q * math.sqrt(k * (k + 1) / 72), abs=2e-3)


def test_cliques_join_what_is_not_told_apart():
    # 30 data sets, always the same order: mean ranks 1, 2, 3, 4 and a critical difference of 0.856
    values = np.tile([4.0, 3.0, 2.0, 1.0], (30, 1)) + np.linspace(0, 1, 30)[:, None]
    found = critical_difference(values, ["a", "b", "c", "d"])
    assert found.methods == ("a", "b", "c", "d") and found.cliques == ()
    few = critical_difference(values[:8], ["a", "b", "c", "d"])  # difference 1.66
    assert few.cliques == (("a", "b"), ("b", "c"), ("c", "d"))
    assert few.mean_ranks == (1.0, 2.0, 3.0, 4.0)


def test_what_cannot_be_ranked_is_refused_and_equals_are_equal():
    with pytest.raises(RequestError, match="3 methods"):
        friedman(np.zeros((5, 2)))
    with pytest.raises(RequestError, match="every method"):
        friedman([[1.0, 2.0, math.nan], [1.0, 2.0, 3.0]])
    assert friedman(np.ones((4, 3)))[0] == 1.0
