from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.metrics.cluster import expected_mutual_information

from trainables.metrics import ami


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(c=st.integers(1, 6), k=st.integers(1, 7), n=st.integers(2, 70), seed=st.integers(0, 10_000))
def test_it_is_that_of_scikit_learn(scored, c: int, k: int, n: int, seed: int) -> None:
    draws = np.random.default_rng(seed)
    labels, found = draws.integers(c, size=n), draws.integers(k, size=(3, n))
    partitions = scored(found, labels, k, c)
    equal = [len({*zip(row, labels, strict=True)}) == len({*row}) == len({*labels}) for row in found]
    theirs = [1.0 if same else adjusted_mutual_info_score(labels, row) for row, same in zip(found, equal, strict=True)]
    assert ami.compute(partitions) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("n", [2, 5, 40])
def test_single_points_that_match_single_points_are_in_full_agreement(scored, n: int) -> None:
    order = np.random.default_rng(1).permutation(n)
    assert list(ami.compute(scored([np.arange(n), np.zeros(n)], order, n, n))) == [1.0, 0.0]
    assert list(ami.compute(scored([0] * n, [0] * n))) == [1.0]


@pytest.mark.parametrize("terms_at_a_time", [1 << 20, 500])
def test_the_expected_information_of_many_points_is_that_of_scikit_learn(monkeypatch, terms_at_a_time: int) -> None:
    monkeypatch.setattr(ami, "TERMS_AT_A_TIME", terms_at_a_time)
    draws = np.random.default_rng(0)
    labels, found = draws.integers(7, size=3_000) ** 2 % 7, draws.integers(12, size=3_000) ** 2 % 11
    table = np.zeros((11, 7), dtype=np.int64)
    np.add.at(table, (found, labels), 1)
    used = table[table.any(1)][:, table.any(0)]
    theirs = expected_mutual_information(used, 3_000)
    assert ami.expected_information(table.sum(1), table.sum(0)) == pytest.approx(theirs, rel=1e-10)
