"""The toys in the plane have the shape that the paper's figures are about: k-means fails where margins are widest."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.svm import SVC
from torch import Tensor

from trainables.data.dataset import Dataset
from trainables.datasets import parallel_gaussians, three_sides, two_margins

TOYS = {"parallel_gaussians": parallel_gaussians, "two_margins": two_margins, "three_sides": three_sides}


def margin(points: Tensor, labels: Tensor) -> float:
    """Distance of the nearest points to the best line between two classes."""
    fitted = SVC(kernel="linear", C=1e6).fit(points.numpy(), labels.numpy())
    assert fitted.score(points.numpy(), labels.numpy()) == 1.0, "classes are linearly separable"
    return 1.0 / float(np.linalg.norm(fitted.coef_))


def gaps(data: Dataset) -> list[float]:
    parts = [data.inputs[data.labels == label] for label in range(data.n_classes)]
    return [float(torch.cdist(left, right).min()) for left, right in combinations(parts, 2)]


@pytest.mark.parametrize("name", TOYS)
def test_classes_are_fair_and_k_means_prefers_another_partition(name: str) -> None:
    data = TOYS[name].load()
    assert data.inputs.shape[1] == 2 and len(data.labels.bincount().unique()) == 1
    found = KMeans(data.n_classes, n_init=20, random_state=0).fit(data.inputs.numpy())
    own = sum(
        float((part - part.mean(0)).square().sum())
        for part in (data.inputs[data.labels == label] for label in range(data.n_classes))
    )
    assert found.inertia_ < 0.95 * own
    assert adjusted_rand_score(data.labels, found.labels_) < 0.3


def test_the_two_bars_have_a_wide_margin_between_and_a_narrow_one_across() -> None:
    data = two_margins.load()
    right = torch.arange(200) // 50 % 2
    assert margin(data.inputs, data.labels) > 2.0 * margin(data.inputs, right) > 0.3


def test_one_corner_of_the_triangle_is_the_tightest() -> None:
    tight, *others = gaps(three_sides.load())
    assert 0.1 < tight < 0.7 * min(others)
