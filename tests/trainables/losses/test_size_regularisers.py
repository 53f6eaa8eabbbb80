"""Losses of hard regularisation and its rivals against numpy, at their ends, and member by member."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainables.losses.size_regularisers import attraction, soft_entropy, sum_of_squares


def costs(members: int = 3) -> torch.Tensor:
    return torch.rand(members, 20, 5, generator=torch.Generator().manual_seed(0)) * 4


def test_attraction_is_the_mean_cost_of_the_labels() -> None:
    table = costs()
    labels = torch.randint(5, (3, 20), generator=torch.Generator().manual_seed(1))
    expected = [np.mean([table[m, i, labels[m, i]] for i in range(20)]) for m in range(3)]
    assert attraction(table, labels).tolist() == pytest.approx(expected, rel=1e-6)


def test_sum_of_squares_is_least_when_mean_costs_are_even_at_a_given_sum() -> None:
    table = costs()
    expected = (table.numpy().mean(1) ** 2).mean(1)
    np.testing.assert_allclose(sum_of_squares(table), expected, rtol=1e-6)
    even = table.mean((1, 2), keepdim=True).expand_as(table)
    assert bool((sum_of_squares(even) <= sum_of_squares(table)).all())


def test_soft_entropy_follows_its_formula_for_each_members_temperature() -> None:
    table, temperature = costs(), torch.tensor([0.3, 1.0, 10.0])
    spread, doubt = soft_entropy(table, temperature)
    for member in range(3):
        logits = -table[member].double().numpy() / float(temperature[member])
        q = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        assert float(doubt[member]) == pytest.approx(-(q * np.log(q)).sum(1).mean(), rel=1e-5)
        mean = q.mean(0)
        assert float(spread[member]) == pytest.approx(-(mean * np.log(mean)).sum(), rel=1e-5)


def test_soft_entropy_stays_finite_where_assignments_are_one_hot() -> None:
    table = torch.full((1, 4, 3), 1e6)
    table[0, :, 0] = 0.0
    table.requires_grad_()
    spread, doubt = soft_entropy(table, torch.ones(1))
    assert [spread.item(), doubt.item()] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert bool(torch.autograd.grad((spread + doubt).sum(), table)[0].isfinite().all())


def test_uniform_costs_have_the_largest_entropies() -> None:
    spread, doubt = soft_entropy(torch.ones(2, 6, 7), torch.ones(2))
    assert spread.tolist() == pytest.approx([np.log(7)] * 2, rel=1e-6)
    assert doubt.tolist() == pytest.approx([np.log(7)] * 2, rel=1e-6)


def test_members_do_not_meet() -> None:
    table, temperature = costs(17), torch.linspace(0.2, 3.0, 17)
    whole = [sum_of_squares(table), *soft_entropy(table, temperature)]
    for member in (0, 8, 16):
        own = slice(member, member + 1)
        alone = [sum_of_squares(table[own]), *soft_entropy(table[own].clone(), temperature[own])]
        assert all(torch.equal(one[own], two) for one, two in zip(whole, alone, strict=True))
