"""The metrics of cluster sizes: effective clusters, largest share, clusters used, collapse; spread of features."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from trainables.metrics import collapsed, effective_clusters, feature_std, max_share, n_clusters_used

LABELS = np.arange(100) % 4


def partition(*sizes: int) -> np.ndarray:
    return np.repeat(np.arange(len(sizes)), sizes)


@pytest.mark.parametrize(
    ("sizes", "gone"),
    [((96, 2, 1, 1), 1.0), ((50, 50, 0, 0), 0.0), ((60, 40, 0, 0), 1.0), ((25, 25, 25, 25), 0.0)],
)
def test_collapse_is_few_effective_clusters_or_one_large_one(scored, sizes: tuple[int, ...], gone: float) -> None:
    assert list(collapsed.compute(scored(partition(*sizes), LABELS, 4))) == [gone]


def test_sizes_are_counted_by_hand(scored) -> None:
    found = scored([partition(25, 25, 25, 25), partition(80, 10, 10, 0)], LABELS, 4)
    assert list(max_share.compute(found)) == [0.25, 0.8]
    assert list(n_clusters_used.compute(found)) == [4.0, 3.0]
    by_hand = np.exp(-(0.8 * np.log(0.8) + 0.2 * np.log(0.1)))
    assert effective_clusters.compute(found) == pytest.approx([4.0, by_hand])


def test_flat_features_count_as_collapse_and_methods_without_features_have_no_spread(scored) -> None:
    even = scored([partition(25, 25, 25, 25)] * 2, LABELS, 4)
    assert feature_std.compute(even) is None
    features = torch.randn(2, 60, 16, generator=torch.Generator().manual_seed(0))
    features[1] = 1.0 + 1e-4 * features[1]
    found = replace(even, features=features)
    assert list(collapsed.compute(found)) == [0.0, 1.0]
    assert feature_std.compute(found)[0] == pytest.approx(1 / 4, abs=0.02)
