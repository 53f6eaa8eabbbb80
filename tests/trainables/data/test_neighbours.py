"""Nearest neighbours against scikit-learn's, whatever the chunk; a point is none of its own neighbours."""

from __future__ import annotations

import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from trainables.data import neighbours
from trainables.data.neighbours import nearest


def points(n: int) -> torch.Tensor:
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("entries", [2**24, 7 * 60])
def test_they_are_those_of_an_exact_search(entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "ENTRIES", entries)
    found, x = nearest(points(60), 5), points(60)
    distances, indices = NearestNeighbors(n_neighbors=6).fit(x.numpy()).kneighbors(x.numpy())
    assert torch.equal(found.indices, torch.from_numpy(indices[:, 1:]))
    torch.testing.assert_close(found.distances, torch.from_numpy(distances[:, 1:]).float(), rtol=1e-4, atol=1e-5)


def test_there_are_no_more_than_there_are_others_and_one_point_has_itself() -> None:
    assert nearest(points(3), 9).indices.shape == (3, 2)
    alone = nearest(points(1), 4)
    assert alone.indices.tolist() == [[0]] and alone.distances.tolist() == [[0.0]]


def test_equal_points_are_neighbours_at_no_distance_but_not_their_own() -> None:
    found = nearest(torch.ones(6, 2), 3)
    assert bool((found.distances == 0).all())
    assert not bool((found.indices == torch.arange(6)[:, None]).any())
