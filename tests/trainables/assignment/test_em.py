"""EM against its invariants, a generic convex solver, and a member of a batch against itself alone."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from trainables.assignment.em import LOOK, em
from trainables.assignment.pseudo_labels import objective

quick = settings(max_examples=15, deadline=None)
problems = st.tuples(
    st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 40), st.integers(1, 8), st.floats(0.0, 3.0)
)


def problem(seed, members, points, classes, scale, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(members, points, classes, generator=generator)
    logits += torch.randn(members, 1, classes, generator=generator)
    weight = 10 ** (3 * torch.rand(members, generator=generator) - 1)
    prior = torch.randn(members, classes, generator=generator).to(dtype).softmax(1)
    return logits.to(dtype).softmax(2), weight.to(dtype), prior


def bfgs_optimum(sigma, weight, prior):
    """Optimum over free logits of y: a smooth map onto the open simplex, where the problem is convex in y."""
    sigma, prior = sigma.numpy(), prior.numpy()
    points = len(sigma)

    def value_and_slope(flat):
        logits = flat.reshape(sigma.shape)
        logits = logits - logits.max(1, keepdims=True)
        y = np.exp(logits)
        y /= y.sum(1, keepdims=True)
        mean = y.mean(0)
        value = -(sigma * np.log(y)).sum() / points + weight * (prior * np.log(prior / mean)).sum()
        slope = -(sigma / y + weight * prior / mean) / points
        return value, (y * (slope - (slope * y).sum(1, keepdims=True))).ravel()

    start = np.log(sigma).ravel()
    found = minimize(value_and_slope, start, jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 20_000})
    return found.fun


@quick
@given(problems)
def test_rows_lie_on_the_simplex_and_logarithms_agree(shape):
    found = em(*problem(*shape))
    torch.testing.assert_close(found.y.sum(2), torch.ones_like(found.y[..., 0]), rtol=0, atol=1e-14)
    assert (found.y > 0).all()
    torch.testing.assert_close(found.log_y, found.y.log())


@quick
@given(problems)
def test_objective_never_increases_over_iterations(shape):
    sigma, weight, prior = problem(*shape)
    values = [objective(sigma, sigma, weight, prior)]
    for cap in (1, 2, 3, 5, 9, 20):
        found = em(sigma, weight, prior, tolerance=0.0, max_iterations=cap)
        values.append(objective(sigma, found.y, weight, prior))
        torch.testing.assert_close(found.objective_after, values[-1], rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(found.objective_before, values[0], rtol=1e-9, atol=1e-9)
    for earlier, later in itertools.pairwise(values):
        assert (later <= earlier + 1e-12 * earlier.abs() + 1e-14).all()


@pytest.mark.parametrize("cap", [1, 4, 5, 7, 15])
def test_the_cap_holds_between_looks_too_and_a_first_logarithm_changes_nothing(cap):
    sigma, weight, prior = problem(6, 3, 40, 5, 2.0)
    found = em(sigma, weight, prior, tolerance=-1.0, max_iterations=cap)
    known = em(sigma, weight, prior, start=(sigma, sigma.log()), tolerance=-1.0, max_iterations=cap)
    assert found.iterations.tolist() == [cap] * 3
    assert torch.equal(found.y, known.y) and torch.equal(found.objective_before, known.objective_before)
    before = found.objective_after if cap == 1 else em(sigma, weight, prior, max_iterations=cap - 1).objective_after
    assert (found.objective_after <= before).all()


def test_a_member_stops_where_the_mean_decrease_since_the_last_look_is_not_above_the_tolerance():
    sigma, weight, prior = problem(6, 4, 60, 5, 2.0)
    values = {0: objective(sigma, sigma, weight, prior)}
    for cap in range(LOOK, 8 * LOOK, LOOK):
        y = em(sigma, weight, prior, tolerance=-1.0, max_iterations=cap).y
        values[cap] = objective(sigma, y, weight, prior)
    found = em(sigma, weight, prior, tolerance=1e-3, max_iterations=7 * LOOK)
    for member, stop in enumerate(found.iterations.tolist()):
        falls = {cap: float((values[cap - LOOK] - values[cap])[member]) / LOOK for cap in values if cap}
        limits = {cap: 1e-3 * abs(float(values[cap][member])) for cap in values}
        assert stop == min((cap for cap in falls if falls[cap] <= limits[cap]), default=7 * LOOK)
        assert float(found.residual[member]) == pytest.approx(falls[stop] / float(values[stop][member]), rel=1e-6)
    assert len(set(found.iterations.tolist())) > 1


@quick
@given(problems)
def test_mean_multiplier_is_one_plus_lambda_at_any_y(shape):
    _, weight, prior = problem(*shape)
    y = problem(shape[0] + 1, *shape[1:])[0]
    pull = weight[:, None] * prior / y.mean(1)
    multiplier = 1 + (y * pull[:, None, :]).sum(2)
    torch.testing.assert_close(multiplier.mean(1), 1 + weight)


@pytest.mark.parametrize(("classes", "lam"), [(2, 1.0), (3, 10.0), (5, 3.0), (10, 1.0)])
def test_with_the_cap_lifted_it_reaches_the_optimum_of_an_independent_convex_solver(classes, lam):
    sigma, _, prior = problem(classes, 1, 30 // classes, classes, 1.5)
    weight = torch.tensor([lam], dtype=torch.float64)
    found = em(sigma, weight, prior, tolerance=0.0, max_iterations=4_000)
    expected = bfgs_optimum(sigma[0], lam, prior[0])
    assert abs(float(found.objective_after) - expected) < 1e-8


def test_optimum_satisfies_the_karush_kuhn_tucker_conditions_and_forgets_its_start():
    sigma, weight, prior = problem(3, 3, 15, 4, 1.5)
    weight = weight.clamp_max(5.0)
    found = em(sigma, weight, prior, tolerance=0.0, max_iterations=4_000)
    multiplier = sigma / found.y + (weight[:, None] * prior / found.y.mean(1))[:, None, :]
    torch.testing.assert_close(multiplier, multiplier.mean(2, keepdim=True).expand_as(multiplier), rtol=1e-5, atol=0)
    torch.testing.assert_close(multiplier.mean((1, 2)), 1 + weight, rtol=1e-6, atol=0)
    weighted = (multiplier.mean(2, keepdim=True) * found.y).mean(1)
    torch.testing.assert_close(weighted, sigma.mean(1) + weight[:, None] * prior, rtol=1e-6, atol=0)
    other = problem(99, 3, 15, 4, 3.0)[0]
    again = em(sigma, weight, prior, start=other, tolerance=0.0, max_iterations=8_000)
    torch.testing.assert_close(again.y, found.y, rtol=0, atol=1e-6)


def test_weight_zero_returns_sigma_and_a_huge_weight_meets_the_prior():
    sigma, _, prior = problem(5, 2, 60, 4, 2.0)
    torch.testing.assert_close(em(sigma, torch.zeros(2)).y, sigma)
    heavy = em(sigma, torch.full((2,), 1e4), prior, tolerance=0.0, max_iterations=60)
    torch.testing.assert_close(heavy.y.mean(1), prior, rtol=0, atol=1e-3)


def test_fair_identical_rows_are_a_fixed_point():
    prior = torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64)
    sigma = prior[:, None, :].expand(1, 7, 3)
    found = em(sigma, torch.tensor([100.0]), prior)
    torch.testing.assert_close(found.y, sigma, rtol=0, atol=1e-14)
    assert found.iterations.tolist() == [LOOK]


@quick
@given(problems, st.randoms(use_true_random=False))
def test_permuting_rows_or_classes_permutes_the_labels(shape, random):
    sigma, weight, prior = problem(*shape)
    rows, classes = list(range(sigma.shape[1])), list(range(sigma.shape[2]))
    random.shuffle(rows)
    random.shuffle(classes)
    plain = em(sigma, weight, prior, tolerance=-1.0)
    moved = em(sigma[:, rows][:, :, classes], weight, prior[:, classes], tolerance=-1.0)
    torch.testing.assert_close(moved.y, plain.y[:, rows][:, :, classes], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("points", [3, 250])
@pytest.mark.parametrize("classes", [1, 2, 10, 33])
def test_a_member_of_a_batch_equals_the_same_problem_alone_bit_for_bit(points, classes):
    sigma, weight, prior = problem(points + classes, 6, points, classes, 2.0, torch.float32)
    weight[1], weight[4] = 0.01, 300.0
    together = em(sigma, weight, prior, tolerance=1e-4, max_iterations=40)
    assert classes < 3 or len(set(together.iterations.tolist())) > 1
    for m in range(6):
        alone = em(sigma[m : m + 1], weight[m : m + 1], prior[m : m + 1], tolerance=1e-4, max_iterations=40)
        for name in ("y", "log_y", "iterations", "objective_before", "objective_after", "residual"):
            assert torch.equal(getattr(alone, name)[0], getattr(together, name)[m]), name


def test_a_nan_row_spoils_its_own_member_only():
    sigma, weight, prior = problem(8, 3, 20, 4, 1.0, torch.float32)
    clean = em(sigma, weight, prior)
    sigma[1, 7] = float("nan")
    found = em(sigma, weight, prior)
    assert found.y[1].isnan().all() and found.iterations[1] == LOOK
    assert torch.equal(found.y[[0, 2]], clean.y[[0, 2]])


def test_one_hot_predictions_give_finite_logarithms():
    sigma = torch.eye(4)[torch.tensor([[0, 0, 0, 1]])]
    found = em(sigma, torch.tensor([100.0]))
    assert found.log_y.isfinite().all() and found.objective_after.isfinite().all()
    assert (found.objective_after < found.objective_before).all()


def test_more_classes_than_points_and_one_class_are_defined():
    sigma, weight, _ = problem(1, 2, 3, 9, 1.0)
    assert em(sigma, weight).y.isfinite().all()
    lone = em(torch.ones(2, 5, 1), torch.tensor([1.0, 100.0]))
    assert torch.equal(lone.y, torch.ones(2, 5, 1)) and lone.iterations.tolist() == [LOOK, LOOK]


def test_held_points_keep_their_labels_and_the_rest_never_gets_worse():
    sigma, weight, _ = problem(2, 2, 30, 4, 1.0)
    truth = torch.eye(4, dtype=torch.float64)[torch.arange(30) % 4].expand(2, 30, 4)
    held = (torch.arange(30) < 8).expand(2, 30)
    start = torch.where(held[..., None], truth, sigma)
    found = em(sigma, weight, start=start, held=held, max_iterations=30)
    torch.testing.assert_close(found.y[:, :8], truth[:, :8], rtol=0, atol=1e-11)
    assert (found.objective_after <= found.objective_before).all()
    assert not torch.equal(found.y[:, 8:], sigma[:, 8:])


@pytest.mark.parametrize(
    ("sigma", "weight", "prior", "message"),
    [
        (torch.ones(2, 0, 3), torch.ones(2), None, "at least one point"),
        (torch.ones(2, 3), torch.ones(2), None, r"\(M, N, K\)"),
        (torch.ones(2, 4, 3), torch.ones(3), None, r"weight must be \(2,\)"),
        (torch.ones(2, 4, 3), torch.ones(2), torch.ones(3), r"prior must be \(2, 3\)"),
        (torch.ones(2, 4, 3, dtype=torch.int64), torch.ones(2), None, "floating"),
    ],
)
def test_a_wrong_shape_or_an_empty_batch_is_refused_in_one_line(sigma, weight, prior, message):
    with pytest.raises(ValueError, match=message):
        em(sigma, weight, prior)
