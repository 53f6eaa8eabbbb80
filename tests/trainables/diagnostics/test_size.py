"""Diagnostics of sizes and centroids against their formulas and at their ends."""

from __future__ import annotations

import math

import pytest
import torch

from trainables.diagnostics.size import centroid_gap, divergence_from_prior, entropy_share, size_dispersion

SIZES = torch.tensor([[5.0, 5.0, 5.0, 5.0], [20.0, 0.0, 0.0, 0.0], [8.0, 6.0, 4.0, 2.0]])


def test_even_sizes_and_one_cluster_are_the_ends() -> None:
    assert entropy_share(SIZES)[:2].tolist() == pytest.approx([1.0, 0.0])
    assert size_dispersion(SIZES)[:2].tolist() == pytest.approx([0.0, 15.0])
    even = torch.full((3, 4), 0.25)
    assert divergence_from_prior(SIZES, even)[:2].tolist() == pytest.approx([0.0, math.log(4)], abs=1e-6)
    assert entropy_share(torch.tensor([[7.0]])).item() == 0.0
    assert entropy_share(torch.zeros(1, 3)).item() == 0.0


def test_between_the_ends_they_follow_their_formulas() -> None:
    shares = [0.4, 0.3, 0.2, 0.1]
    entropy = -sum(p * math.log(p) for p in shares)
    assert entropy_share(SIZES)[2].item() == pytest.approx(entropy / math.log(4))
    assert size_dispersion(SIZES)[2].item() == pytest.approx(5.0 / 5.0)
    prior = torch.tensor([[0.1, 0.5, 0.25, 0.15]] * 3)
    expected = sum(p * math.log(p / q) for p, q in zip(shares, [0.5, 0.25, 0.15, 0.1], strict=True))
    assert divergence_from_prior(SIZES, prior)[2].item() == pytest.approx(expected, rel=1e-5)


def test_divergence_matches_by_rank_and_ends_at_the_prior() -> None:
    prior = torch.tensor([[0.4, 0.3, 0.2, 0.1]])
    assert divergence_from_prior(SIZES[2:].flip(1), prior).item() == pytest.approx(0.0, abs=1e-6)


def test_the_gap_is_the_least_distance_of_two_centroids() -> None:
    centroids = torch.tensor([[[0.0, 0.0], [3.0, 4.0], [3.0, 3.0]], [[1.0, 1.0], [1.0, 1.0], [9.0, 9.0]]])
    assert centroid_gap(centroids).tolist() == pytest.approx([1.0, 0.0], abs=1e-5)
    assert centroid_gap(torch.ones(2, 1, 3)).tolist() == [0.0, 0.0]
