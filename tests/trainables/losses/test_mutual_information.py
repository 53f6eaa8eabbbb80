"""Invariant information against a table by hand, its bounds, and the two entropies of IMSAT."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trainables.losses.mutual_information import decisiveness, invariant_information, mean_assignment, spread

ONE = torch.ones(1, dtype=torch.float64)


def soft(seed: int, points: int = 20, clusters: int = 4, sharp: float = 2.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (sharp * torch.randn(1, points, clusters, generator=generator, dtype=torch.float64)).softmax(2)


def by_loops(first: Tensor, second: Tensor, exponent: float) -> float:
    clusters = first.shape[1]
    joint = [[0.0] * clusters for _ in range(clusters)]
    for one, two in zip(first.tolist(), second.tolist(), strict=True):
        for i in range(clusters):
            for j in range(clusters):
                joint[i][j] += (one[i] * two[j] + one[j] * two[i]) / 2 / len(first)
    shares = [sum(row) for row in joint]
    return -sum(
        joint[i][j] * math.log(joint[i][j] / (shares[i] * shares[j]) ** exponent)
        for i in range(clusters)
        for j in range(clusters)
    )


@pytest.mark.parametrize("exponent", [1.0, 1.5])
def test_it_is_minus_the_information_of_the_symmetric_joint_table(exponent: float) -> None:
    first, second = soft(0), soft(1)
    found = invariant_information(first, second, exponent * ONE)
    assert float(found) == pytest.approx(by_loops(first[0], second[0], exponent))
    assert float(invariant_information(second, first, exponent * ONE)) == pytest.approx(float(found))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 6))
def test_it_lies_between_minus_ln_k_and_zero(seed: int, clusters: int) -> None:
    found = float(invariant_information(soft(seed, 15, clusters), soft(seed + 1, 15, clusters), ONE))
    assert -math.log(clusters) - 1e-9 <= found <= 1e-9


def test_balanced_equal_labels_reach_the_bound_and_constant_ones_have_no_information() -> None:
    balanced = torch.eye(4, dtype=torch.float64).repeat(5, 1).unsqueeze(0)
    assert float(invariant_information(balanced, balanced, ONE)) == pytest.approx(-math.log(4))
    constant = torch.zeros(1, 20, 4, dtype=torch.float64)
    constant[..., 0] = 1.0
    assert float(invariant_information(constant, constant, ONE)) == pytest.approx(0.0, abs=1e-9)


def test_the_two_entropies_are_those_of_the_points_and_of_their_mean() -> None:
    sigma = soft(3)
    shares = sigma[0].mean(0)
    torch.testing.assert_close(mean_assignment(sigma)[0], shares)
    assert float(spread(sigma, 0.0)) == pytest.approx(float(-(shares * shares.log()).sum()))
    assert float(decisiveness(sigma, 0.0)) == pytest.approx(float(-(sigma * sigma.log()).sum(2).mean()))
    assert float(spread(sigma, 0.0)) >= float(decisiveness(sigma, 0.0))


def test_a_member_has_the_bits_it_has_alone() -> None:
    first, second = (torch.cat([soft(seed + m) for m in range(3)]).float() for seed in (10, 20))
    lam = torch.tensor([1.0, 1.2, 1.0])
    whole = invariant_information(first, second, lam)
    means = mean_assignment(first)
    for m in range(3):
        assert torch.equal(whole[m : m + 1], invariant_information(first[m : m + 1], second[m : m + 1], lam[m : m + 1]))
        assert torch.equal(means[m], mean_assignment(first[m : m + 1])[0])
