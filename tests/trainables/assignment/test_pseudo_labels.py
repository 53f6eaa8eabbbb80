"""The problem of soft labels: its objective and its fairness terms."""

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from soft_problems import problem

from trainables.assignment.pseudo_labels import check_problem, forward_kl, objective, reverse_kl, uniform_prior


def test_negative_entropy_is_the_reverse_form_at_a_uniform_prior_less_a_constant():
    mean = problem(1, 3, 1, 6, 1.0)[0][:, 0]
    uniform = torch.full_like(mean, 1 / 6)
    spread = -(mean * mean.log()).sum(1)
    torch.testing.assert_close(reverse_kl(uniform, mean), -spread + np.log(6))


def test_the_objective_is_what_its_formula_says_number_by_number():
    sigma, weight, prior = problem(2, 2, 5, 3, 1.0)
    y = problem(3, 2, 5, 3, 1.0)[0]
    for member in range(2):
        cross = -np.mean([float(np.dot(s, np.log(t))) for s, t in zip(sigma[member], y[member], strict=True)])
        mean = y[member].numpy().mean(0)
        forward, reverse = entropy(prior[member].numpy(), mean), entropy(mean, prior[member].numpy())
        lam = float(weight[member])
        assert float(objective(sigma, y, weight, prior)[member]) == pytest.approx(cross + lam * forward, rel=1e-12)
        found = objective(sigma, y, weight, prior, fairness="reverse")
        assert float(found[member]) == pytest.approx(cross + lam * reverse, rel=1e-12)


def test_without_a_prior_every_class_is_to_have_the_same_share():
    sigma, weight, _ = problem(4, 3, 6, 4, 1.0)
    assert torch.equal(uniform_prior(sigma), torch.full((3, 4), 0.25, dtype=torch.float64))
    assert torch.equal(objective(sigma, sigma, weight), objective(sigma, sigma, weight, uniform_prior(sigma)))


def test_a_class_without_a_share_of_the_prior_costs_only_its_mass():
    prior, mean = torch.tensor([[0.0, 0.5, 0.5]]), torch.tensor([[0.2, 0.4, 0.4]])
    assert float(forward_kl(prior, mean)) == pytest.approx(np.log(0.5 / 0.4))


@pytest.mark.parametrize(
    ("sigma", "weight", "prior", "message"),
    [
        (torch.ones(2, 3), torch.ones(2), None, r"sigma must be floating, \(M, N, K\)"),
        (torch.ones(2, 3, 4, dtype=torch.int64), torch.ones(2), None, "sigma must be floating"),
        (torch.ones(2, 0, 4), torch.ones(2), None, "at least one point and one class"),
        (torch.ones(2, 3, 4), torch.ones(3), None, r"weight must be \(2,\); got \(3,\)"),
        (torch.ones(2, 3, 4), torch.ones(2), torch.ones(2, 3), r"prior must be \(2, 4\); got \(2, 3\)"),
    ],
)
def test_shapes_that_are_no_problem_are_refused_by_name(sigma, weight, prior, message):
    with pytest.raises(ValueError, match=message):
        check_problem(sigma, weight, prior)
