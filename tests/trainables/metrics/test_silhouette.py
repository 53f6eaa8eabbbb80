from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_score

from trainables.metrics import silhouette


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(k=st.integers(2, 7), n=st.integers(12, 70), seed=st.integers(0, 10_000))
def test_it_is_that_of_scikit_learn(scored, k: int, n: int, seed: int) -> None:
    draws = np.random.default_rng(seed)
    points = torch.tensor(draws.normal(size=(n, 3)), dtype=torch.float32)
    found = draws.integers(k, size=(3, n))
    found[:, :2] = [0, 1]
    theirs = [silhouette_score(points.double().numpy(), row) for row in found]
    assert silhouette.compute(scored(found, found[0], k, points=points)) == pytest.approx(theirs, abs=1e-10)


def test_one_cluster_and_single_points_have_zero(scored) -> None:
    points = torch.rand(4, 2)
    assert list(silhouette.compute(scored([[0, 0, 0, 0], [0, 1, 2, 3]], [0, 1, 0, 1], 4, points=points))) == [0.0, 0.0]
