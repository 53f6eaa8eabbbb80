from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import kmeans_plusplus
from torch import Tensor

from trainables.assignment.kmeans import points, starts
from trainables.assignment.kmeans.points import Points
from trainables.datasets import digits


def drawn(kind: str, points: Points, k: int, restarts: int, seed: int = 0) -> Tensor:
    return starts.starts_of(kind, points, k, restarts, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", starts.STARTS)
def test_starts_are_points_and_the_first_ones_do_not_depend_on_how_many_follow(kind: str) -> None:
    rows = digits.load().vectors + 3.0
    points = Points.of(rows)
    found = drawn(kind, points, 10, 4)
    assert found.shape == (4, 10, 64)
    distances = torch.cdist(found.flatten(0, 1).double(), rows.double())
    assert float(distances.min(1).values.max()) < 1e-4
    assert found[:2] == pytest.approx(drawn(kind, points, 10, 2), abs=1e-6)
    assert not torch.equal(found[0], found[1])


def test_greedy_starts_leave_as_little_as_those_of_scikit_learn_and_less_than_random_ones() -> None:
    rows = digits.load().vectors
    points = Points.of(rows)

    def left(centres: Tensor) -> float:
        return float(torch.cdist(rows.double(), centres.double()).min(1).values.square().sum())

    mine = np.mean([left(one) for one in drawn("k-means++", points, 10, 30)])
    random = np.mean([left(one) for one in drawn("random", points, 10, 30)])
    theirs = [left(torch.from_numpy(kmeans_plusplus(rows.numpy(), 10, random_state=seed)[0])) for seed in range(30)]
    assert mine == pytest.approx(np.mean(theirs), rel=0.03) and mine < 0.95 * random


def test_a_far_heap_is_always_found_and_no_point_is_taken_twice_while_others_have_distance() -> None:
    rows = torch.cat([torch.randn(50, 2), torch.tensor([[100.0, 0.0], [0.0, 100.0]])])
    found = drawn("k-means++", Points.of(rows), 3, 20)
    for centres in found:
        assert (torch.cdist(centres, rows[50:]).min(0).values < 1e-3).all()
    assert all(len(centres.unique(dim=0)) == 12 for centres in drawn("k-means++", Points.of(rows[:12]), 12, 5))


def test_points_that_all_sit_on_centres_serve_again() -> None:
    rows = torch.zeros(6, 2)
    assert drawn("k-means++", Points.of(rows), 4, 2).shape == (2, 4, 2)


def test_little_memory_takes_restarts_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = Points.of(digits.load().vectors)
    together = drawn("k-means++", ready, 10, 3)
    monkeypatch.setattr(points, "AT_ONCE", 1)
    assert drawn("k-means++", ready, 10, 3) == pytest.approx(together, abs=1e-6)
