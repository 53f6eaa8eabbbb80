"""Newton's two forms and mirror descent against independent convex solvers, weak duality and each other."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from trainables.assignment.dense_newton import dense_newton
from trainables.assignment.em import em
from trainables.assignment.mirror_descent import mirror_descent
from trainables.assignment.newton import newton
from trainables.assignment.pseudo_labels import objective, reverse_kl

quick = settings(max_examples=12, deadline=None)
problems = st.tuples(
    st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 30), st.integers(1, 8), st.floats(0.0, 8.0)
)


def problem(seed, members, points, classes, scale, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(members, points, classes, generator=generator)
    logits += torch.randn(members, 1, classes, generator=generator)
    weight = 10 ** (4 * torch.rand(members, generator=generator) - 1)
    prior = torch.randn(members, classes, generator=generator).to(dtype).softmax(1)
    return logits.to(dtype).softmax(2), weight.to(dtype), prior


def generic_optimum(sigma, weight, prior, fairness):
    """BFGS over free logits of y, with its own formulas for objective and gradient."""
    sigma, prior, points = sigma.numpy(), prior.numpy(), len(sigma)

    def value_and_slope(flat):
        logits = flat.reshape(sigma.shape)
        y = np.exp(logits - logits.max(1, keepdims=True))
        y /= y.sum(1, keepdims=True)
        mean = y.mean(0)
        value = -(sigma * np.log(y)).sum() / points
        if fairness == "forward":
            value += weight * (prior * np.log(prior / mean)).sum()
            slope = -(sigma / y + weight * prior / mean) / points
        else:
            value += weight * (mean * np.log(mean / prior)).sum()
            slope = -(sigma / y - weight * (np.log(mean / prior) + 1)) / points
        return value, (y * (slope - (slope * y).sum(1, keepdims=True))).ravel()

    options = {"gtol": 1e-9, "maxiter": 20_000}
    return minimize(value_and_slope, np.log(sigma).ravel(), jac=True, method="BFGS", options=options).fun


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


def test_all_four_solvers_meet_at_the_one_optimum():
    sigma, weight, prior = problem(4, 2, 9, 3, 1.0)
    weight = weight.clamp_max(3.0)
    exact = newton(sigma, weight, prior, tolerance=1e-12)
    rivals = (
        em(sigma, weight, prior, tolerance=-1.0, max_iterations=1_000),
        mirror_descent(sigma, weight, prior, tolerance=-1.0, max_iterations=1_000),
        dense_newton(sigma, weight, prior, tolerance=1e-12),
    )
    for rival in rivals:
        torch.testing.assert_close(rival.y, exact.y, rtol=0, atol=1e-5)
        torch.testing.assert_close(rival.objective_after, exact.objective_after, rtol=0, atol=1e-9)


@quick
@given(problems)
def test_mirror_descent_never_raises_the_objective(shape):
    sigma, weight, prior = problem(*shape)
    values = [objective(sigma, sigma, weight, prior)]
    for cap in (1, 2, 5, 20):
        found = mirror_descent(sigma, weight, prior, tolerance=-1.0, max_iterations=cap)
        values.append(objective(sigma, found.y, weight, prior))
        torch.testing.assert_close(found.objective_after, values[-1], rtol=1e-7, atol=1e-7)
        assert (values[-1] <= values[-2] + 1e-9 * (1 + weight)).all()


def test_weight_zero_returns_sigma_and_a_huge_weight_meets_the_prior():
    sigma, _, prior = problem(5, 2, 60, 4, 2.0)
    for fairness in ("forward", "reverse"):
        none = newton(sigma, torch.zeros(2), prior, fairness=fairness, tolerance=1e-9)
        torch.testing.assert_close(none.y, sigma, rtol=0, atol=1e-5)
        huge = newton(sigma, torch.full((2,), 1e4), prior, fairness=fairness, tolerance=1e-4)
        torch.testing.assert_close(huge.y.mean(1), prior, rtol=0, atol=1e-4)


def test_negative_entropy_is_the_reverse_form_at_a_uniform_prior_less_a_constant():
    mean = problem(1, 3, 1, 6, 1.0)[0][:, 0]
    uniform = torch.full_like(mean, 1 / 6)
    entropy = -(mean * mean.log()).sum(1)
    torch.testing.assert_close(reverse_kl(uniform, mean), -entropy + np.log(6))


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
