from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from trainables.data import neighbours
from trainables.data.neighbours import nearest, nearest_neighbours
from trainables.datasets import digits, mnist_5k


def oracle(points: Tensor, probes: Tensor, k: int) -> Tensor:
    """Every distance in float64, sorted; of equal ones the lower index first."""
    x = points.double()
    found = []
    for probe in probes.tolist():
        distances = (x - x[probe]).square().sum(1)
        distances[probe] = torch.inf
        found.append(distances.sort(stable=True).indices[:k])
    return torch.stack(found)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(3, 120), d=st.integers(1, 40), k=st.integers(1, 12), seed=st.integers(0, 10_000),
    offset=st.sampled_from([0.0, 10.0, 1_000.0, 1e5, -1e7]), whole=st.booleans(),
)  # fmt: skip
def test_they_are_those_of_float64(n: int, d: int, k: int, seed: int, offset: float, whole: bool) -> None:
    points = torch.randn(n, d, generator=torch.Generator().manual_seed(seed))
    points = (3.0 * points).round() if whole else points  # whole numbers: many equal distances
    points = points + offset
    probes = torch.randperm(n, generator=torch.Generator().manual_seed(seed))[:30]
    k = min(k, n - 1)
    assert torch.equal(nearest_neighbours(points, probes, k), oracle(points, probes, k))


@pytest.mark.parametrize("offset", [0.0, 1_000.0])
@pytest.mark.parametrize("load", [digits.load, mnist_5k.load], ids=["digits", "mnist_5k"])
def test_of_real_data_too_far_from_the_origin_or_not(load, offset: float) -> None:
    points = load().vectors + offset
    probes = torch.arange(0, len(points), 40)
    assert torch.equal(nearest_neighbours(points, probes, 10), oracle(points, probes, 10))


def test_many_equal_points_are_taken_in_order() -> None:
    points = torch.zeros(300, 4)
    assert nearest_neighbours(points, torch.tensor([0, 5]), 3).tolist() == [[1, 2, 3], [0, 1, 2]]


def test_a_point_far_away_does_not_spoil_the_others() -> None:
    points = torch.randn(200, 6, generator=torch.Generator().manual_seed(1))
    points[7] = 1e6
    probes = torch.arange(50)
    assert torch.equal(nearest_neighbours(points, probes, 10), oracle(points, probes, 10))


def cloud(n: int) -> Tensor:
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("offset", [0.0, 1_000.0])
def test_those_of_all_points_are_those_of_an_exact_search(offset: float) -> None:
    x = cloud(200) + offset
    found = nearest(x, 5)
    distances, indices = NearestNeighbors(n_neighbors=6).fit(x.double().numpy()).kneighbors(x.double().numpy())
    assert torch.equal(found.indices, torch.from_numpy(indices[:, 1:]))
    torch.testing.assert_close(found.distances, torch.from_numpy(distances[:, 1:]).float(), rtol=1e-6, atol=1e-6)


def test_there_are_no_more_than_there_are_others_and_one_point_has_itself() -> None:
    assert nearest(cloud(3), 9).indices.shape == (3, 2)
    alone = nearest(cloud(1), 4)
    assert alone.indices.tolist() == [[0]] and alone.distances.tolist() == [[0.0]]


def test_equal_points_are_neighbours_at_no_distance_but_not_their_own() -> None:
    found = nearest(torch.ones(6, 2), 3)
    assert bool((found.distances == 0).all())
    assert not bool((found.indices == torch.arange(6)[:, None]).any())


def test_points_whose_squares_overflow_have_neighbours_too() -> None:
    points = 1e25 * torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    probes = torch.arange(10)
    assert torch.equal(nearest_neighbours(points, probes, 3), oracle(points, probes, 3))


def test_blocks_of_candidates_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    points, probes = torch.zeros(101, 6), torch.arange(20)
    points[::3] = 1.0
    whole = nearest_neighbours(points, probes, 10)
    monkeypatch.setattr(neighbours, "AT_ONCE", 60)
    monkeypatch.setattr(neighbours, "BLOCK", 60)
    assert torch.equal(nearest_neighbours(points, probes, 10), whole)
