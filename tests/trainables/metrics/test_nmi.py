from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import normalized_mutual_info_score

from trainables.metrics import nmi


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(c=st.integers(1, 6), k=st.integers(1, 7), n=st.integers(2, 70), seed=st.integers(0, 10_000))
def test_it_is_that_of_scikit_learn(scored, c: int, k: int, n: int, seed: int) -> None:
    draws = np.random.default_rng(seed)
    labels, found = draws.integers(c, size=n), draws.integers(k, size=(3, n))
    theirs = [normalized_mutual_info_score(labels, row) for row in found]
    assert nmi.compute(scored(found, labels, k, c)) == pytest.approx(theirs, abs=1e-10)


def test_one_cluster_tells_nothing_unless_there_is_one_class(scored) -> None:
    assert list(nmi.compute(scored([0, 0, 0], [0, 1, 0]))) == [0.0]
    assert list(nmi.compute(scored([0, 0, 0], [0, 0, 0]))) == [1.0]
