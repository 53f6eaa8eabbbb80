"""Contrastive losses against loops over rows; their limits; a member's bits alone."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from trainables.losses.contrastive import cluster_contrast, normalised_cross_entropy
from trainables.losses.sphere import unit


def draws(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_loops(first: Tensor, second: Tensor, tau: float) -> float:
    rows, n = torch.cat([first, second]), len(first)
    total = 0.0
    for place, row in enumerate(rows):
        partner = (place + n) % (2 * n)
        others = [math.exp(float(row @ other) / tau) for at, other in enumerate(rows) if at != place]
        total -= math.log(math.exp(float(row @ rows[partner]) / tau) / sum(others))
    return total / (2 * n)


@pytest.mark.parametrize("tau", [0.1, 0.5, 2.0])
def test_it_is_the_mean_over_both_views_of_finding_the_partner(tau: float) -> None:
    first, second = unit(draws(0, 2, 5, 4)), unit(draws(1, 2, 5, 4))
    found = normalised_cross_entropy(first, second, torch.full((2,), tau, dtype=torch.float64))
    assert found.tolist() == pytest.approx([by_loops(first[m], second[m], tau) for m in range(2)])


def test_equal_rows_cannot_be_told_apart_and_orthogonal_ones_can() -> None:
    same, tau = unit(torch.ones(1, 6, 3)), torch.tensor([0.5])
    assert float(normalised_cross_entropy(same, same, tau)) == pytest.approx(math.log(11))
    apart = torch.eye(6).unsqueeze(0)
    expected = -math.log(math.exp(2) / (math.exp(2) + 10))
    assert float(normalised_cross_entropy(apart, apart, tau)) == pytest.approx(expected)


def test_clusters_are_rows_of_their_batch_and_even_ones_have_no_fairness_term() -> None:
    first, second = draws(2, 1, 12, 3).softmax(2), draws(3, 1, 12, 3).softmax(2)
    tau = torch.ones(1, dtype=torch.float64)
    contrast, fairness = cluster_contrast(first, second, tau)
    columns = unit(first[0].T), unit(second[0].T)
    assert float(contrast) == pytest.approx(by_loops(*columns, 1.0))
    means = [view[0].mean(0) for view in (first, second)]
    expected = sum(math.log(3) + float((mean * mean.log()).sum()) for mean in means)
    assert float(fairness) == pytest.approx(expected)
    even = torch.eye(3, dtype=torch.float64).repeat(4, 1).unsqueeze(0)
    assert float(cluster_contrast(even, even, tau)[1]) == pytest.approx(0.0, abs=1e-12)


def test_a_members_loss_and_gradient_have_the_bits_they_have_alone() -> None:
    first, second = (unit(draws(seed, 3, 8, 5).float()) for seed in (4, 5))
    tau = torch.tensor([0.2, 0.5, 1.0])
    whole = first.clone().requires_grad_()
    (slope,) = torch.autograd.grad(normalised_cross_entropy(whole, second, tau).sum(), [whole])
    for m in range(3):
        own = first[m : m + 1].clone().requires_grad_()
        (single,) = torch.autograd.grad(normalised_cross_entropy(own, second[m : m + 1], tau[m : m + 1]).sum(), [own])
        assert torch.equal(single[0], slope[m])
