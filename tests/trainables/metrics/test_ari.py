from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from trainables.metrics import ari


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(c=st.integers(1, 6), k=st.integers(1, 7), n=st.integers(2, 70), seed=st.integers(0, 10_000))
def test_it_is_that_of_scikit_learn(scored, c: int, k: int, n: int, seed: int) -> None:
    draws = np.random.default_rng(seed)
    labels, found = draws.integers(c, size=n), draws.integers(k, size=(3, n))
    theirs = [adjusted_rand_score(labels, row) for row in found]
    assert ari.compute(scored(found, labels, k, c)) == pytest.approx(theirs, abs=1e-10)


def test_a_disagreement_on_every_pair_is_below_chance(scored) -> None:
    assert ari.compute(scored([0, 1, 0, 1], [0, 0, 1, 1]))[0] == pytest.approx(-0.5)
