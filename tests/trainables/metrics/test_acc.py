from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainables.metrics import acc


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(k=st.integers(2, 4), c=st.integers(2, 4), seed=st.integers(0, 10_000))
def test_accuracy_is_the_best_over_all_matchings_tried_one_by_one(scored, k: int, c: int, seed: int) -> None:
    draws = np.random.default_rng(seed)
    labels, found = draws.integers(c, size=30), draws.integers(k, size=30)
    renamings = permutations(range(max(k, c)), k)
    best = max(float((np.array(renamed)[found] == labels).mean()) for renamed in renamings)
    assert acc.compute(scored(found, labels, k, c))[0] == pytest.approx(best, abs=1e-12)


def test_a_perfect_partition_under_other_names_has_one_and_one_cluster_has_the_largest_class(scored) -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    assert list(acc.compute(scored([(labels + 1) % 3, labels * 0], labels, 3))) == [1.0, 0.5]
