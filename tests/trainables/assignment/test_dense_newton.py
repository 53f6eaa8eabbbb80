"""Newton's method with the dense system against a convex solver that shares no line with it."""

import pytest
import torch
from soft_problems import generic_optimum, problem

from trainables.assignment.dense_newton import dense_newton
from trainables.assignment.pseudo_labels import objective


@pytest.mark.parametrize(("classes", "lam"), [(2, 0.1), (3, 10.0), (4, 1.0)])
def test_the_optimum_is_that_of_an_independent_convex_solver(classes, lam):
    sigma, _, prior = problem(classes, 1, 8, classes, 1.5)
    found = dense_newton(sigma, torch.tensor([lam], dtype=torch.float64), prior, tolerance=1e-11)
    assert float(found.objective_after) == pytest.approx(generic_optimum(sigma[0], lam, prior[0], "forward"), abs=1e-8)
    torch.testing.assert_close(found.y.sum(2), torch.ones(1, 8, dtype=torch.float64))
    assert (found.y > 0).all()


def test_no_direction_on_the_simplex_leads_down_from_the_optimum():
    sigma, weight, prior = problem(7, 2, 6, 3, 1.0)
    weight = weight.clamp_max(5.0)
    found = dense_newton(sigma, weight, prior, tolerance=1e-13)
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        other = torch.randn(found.y.shape, generator=generator, dtype=torch.float64).softmax(2)
        between = 0.999 * found.y + 0.001 * other
        assert (objective(sigma, between, weight, prior) >= found.objective_after - 1e-12).all()


def test_a_member_stops_as_soon_as_its_estimate_is_below_the_tolerance_and_the_cap_holds():
    sigma, weight, prior = problem(1, 3, 5, 3, 1.0)
    found = dense_newton(sigma, weight, prior, tolerance=1e-6)
    assert (found.residual <= 1e-6).all() and (found.iterations < 100).all()
    assert (found.objective_after <= found.objective_before + 1e-12).all()
    assert dense_newton(sigma, weight, prior, tolerance=-1.0, max_iterations=2).iterations.tolist() == [2, 2, 2]
