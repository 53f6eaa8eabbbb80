"""Newton's method against independent convex solvers and weak duality; what all second solvers keep to."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from soft_problems import generic_optimum, problem, problems

from trainables.assignment.dense_newton import dense_newton
from trainables.assignment.em import em
from trainables.assignment.mirror_descent import mirror_descent
from trainables.assignment.newton import newton
from trainables.assignment.pseudo_labels import objective

quick = settings(max_examples=12, deadline=None)


@pytest.mark.parametrize("fairness", ["forward", "reverse"])
@pytest.mark.parametrize(("classes", "lam"), [(2, 0.1), (3, 10.0), (5, 100.0), (10, 1.0)])
def test_optimum_equals_that_of_an_independent_convex_solver(classes, lam, fairness):
    sigma, _, prior = problem(classes, 1, 24 // classes, classes, 1.5)
    weight = torch.tensor([lam], dtype=torch.float64)
    found = newton(sigma, weight, prior, fairness=fairness, tolerance=1e-11)
    expected = generic_optimum(sigma[0], lam, prior[0], fairness)
    assert abs(float(found.objective_after) - expected) < 1e-8
    assert float(found.residual) <= 1e-11 and found.iterations < 12


@quick
@given(problems, st.sampled_from(["forward", "reverse"]))
def test_every_problem_converges_with_a_certified_gap_and_labels_on_the_simplex(shape, fairness):
    sigma, weight, prior = problem(*shape)
    tolerance = 1e-7 * (1 + float(weight.max()))
    found = newton(sigma, weight, prior, fairness=fairness, tolerance=tolerance)
    assert (found.residual <= tolerance).all()
    assert (found.y > 0).all()
    torch.testing.assert_close(found.y.sum(2), torch.ones_like(found.y[..., 0]), rtol=0, atol=1e-12)
    torch.testing.assert_close(found.log_y, found.y.log())
    assert (found.objective_after <= found.objective_before + tolerance).all()
    rival = problem(shape[0] + 7, *shape[1:])[0]
    best = found.objective_after - found.residual
    assert (objective(sigma, rival, weight, prior, fairness) >= best - 1e-9 * (1 + weight)).all()


@quick
@given(problems)
def test_no_other_solver_gets_below_the_certified_bound(shape):
    sigma, weight, prior = problem(*shape)
    bound = newton(sigma, weight, prior, tolerance=1e-6)
    lower = bound.objective_after - bound.residual - 1e-9 * (1 + weight)
    assert (em(sigma, weight, prior, max_iterations=50).objective_after >= lower).all()
    assert (mirror_descent(sigma, weight, prior, max_iterations=50).objective_after >= lower).all()


def test_weight_zero_returns_sigma_and_a_huge_weight_meets_the_prior():
    sigma, _, prior = problem(5, 2, 60, 4, 2.0)
    for fairness in ("forward", "reverse"):
        none = newton(sigma, torch.zeros(2), prior, fairness=fairness, tolerance=1e-9)
        torch.testing.assert_close(none.y, sigma, rtol=0, atol=1e-5)
        huge = newton(sigma, torch.full((2,), 1e4), prior, fairness=fairness, tolerance=1e-4)
        torch.testing.assert_close(huge.y.mean(1), prior, rtol=0, atol=1e-4)


@pytest.mark.parametrize("solver", [newton, mirror_descent])
@pytest.mark.parametrize(("points", "classes"), [(3, 5), (120, 2), (120, 10), (7, 1)])
def test_a_member_of_a_batch_equals_the_same_problem_alone_bit_for_bit(solver, points, classes):
    sigma, weight, prior = problem(points + classes, 5, points, classes, 2.0, torch.float32)
    weight[1], weight[3] = 0.01, 300.0
    together = solver(sigma, weight, prior, tolerance=1e-4)
    assert classes == 1 or len(set(together.iterations.tolist())) > 1
    for m in range(5):
        alone = solver(sigma[m : m + 1], weight[m : m + 1], prior[m : m + 1], tolerance=1e-4)
        for name in ("y", "log_y", "iterations", "objective_before", "objective_after", "residual"):
            assert torch.equal(getattr(alone, name)[0], getattr(together, name)[m]), name


@pytest.mark.parametrize("solver", [newton, mirror_descent, dense_newton])
def test_a_nan_row_spoils_its_own_member_only(solver):
    sigma, weight, prior = problem(8, 3, 9, 4, 1.0, torch.float32)
    clean = solver(sigma, weight, prior)
    sigma[1, 7] = float("nan")
    found = solver(sigma, weight, prior)
    assert found.y[1].isnan().any() and found.objective_after[1].isnan()
    assert torch.equal(found.y[[0, 2]], clean.y[[0, 2]])


def test_one_hot_predictions_of_a_collapsed_batch_still_converge():
    sigma = torch.eye(4)[torch.zeros(1, 40, dtype=torch.long)]
    found = newton(sigma, torch.tensor([100.0]), tolerance=1e-4)
    assert float(found.residual) <= 1e-4
    torch.testing.assert_close(found.y.mean(1), torch.full((1, 4), 0.25), rtol=0, atol=0.05)


@pytest.mark.parametrize("solver", [newton, mirror_descent, dense_newton])
def test_an_empty_batch_is_refused(solver):
    with pytest.raises(ValueError, match="at least one point"):
        solver(torch.ones(2, 0, 3), torch.ones(2))


def test_an_unknown_fairness_is_refused_by_name():
    with pytest.raises(ValueError, match=r"\['forward', 'reverse'\]; got 'sideways'"):
        newton(torch.ones(1, 1, 1), torch.ones(1), fairness="sideways")
