"""Size duals: the telescoping bound, weak duality against the exact flow, shifts, the ends of gamma."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from trainables.assignment.size_dual import size_dual

quick = settings(max_examples=20, deadline=None)


def stream(seed, batches, points=16, classes=4, members=2, skew=1.0):
    generator = torch.Generator().manual_seed(seed)
    bias = skew * torch.randn(members, 1, classes, generator=generator, dtype=torch.float64)
    noise = torch.randn(batches, members, points, classes, generator=generator, dtype=torch.float64)
    return 0.3 * noise + bias


def run(scores, step, lower, upper=None):
    """Duals after the stream and the mean share of every cluster."""
    rho = torch.zeros_like(scores[0, :, 0])
    above = None if upper is None else torch.zeros_like(rho)
    shares = []
    for score in scores:
        found = size_dual(score, rho, step, lower, above, upper)
        rho, above = found.rho, found.rho_upper
        shares.append(found.shares)
    return rho, above, torch.stack(shares)


@quick
@given(st.integers(0, 10_000), st.floats(0.0, 1.0), st.floats(0.01, 30.0), st.integers(1, 30))
def test_mean_shares_obey_the_telescoping_bound_for_any_stream(seed, gamma, eta, batches):
    step, lower = torch.full((2,), eta, dtype=torch.float64), torch.full((2,), gamma, dtype=torch.float64)
    rho, _, shares = run(stream(seed, batches), step, lower)
    assert (shares.mean(0) >= gamma / 4 - rho / (eta * batches) - 1e-12).all()
    assert gamma == 1 or (rho >= 0).all()


@quick
@given(st.integers(0, 10_000), st.floats(1.0, 3.0), st.floats(0.01, 5.0), st.integers(1, 30))
def test_mean_shares_obey_the_mirrored_bound_from_above(seed, ratio, eta, batches):
    step, none = torch.full((2,), eta, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    upper = torch.full((2,), ratio, dtype=torch.float64)
    _, above, shares = run(stream(seed, batches), step, none, upper)
    assert (shares.mean(0) <= ratio / 4 + above / (eta * batches) + 1e-12).all() and (above >= 0).all()


def test_on_a_long_stream_every_share_settles_above_its_bound():
    for gamma, slack in ((1.0, 0.02), (0.9, 0.02), (0.4, 0.02)):
        lower = torch.full((2,), gamma, dtype=torch.float64)
        _, _, shares = run(stream(1, 400, points=64), torch.full((2,), 0.1, dtype=torch.float64), lower)
        at_rest = shares[200:].mean(0) * 4
        assert (at_rest >= gamma - slack).all()
        assert float(at_rest.min()) < gamma + 0.1  # the skewed stream makes the bound bind


def test_gamma_zero_keeps_zero_duals_and_is_the_argmax():
    scores = stream(3, 5)
    rho, _, shares = run(scores, torch.full((2,), 1.0).double(), torch.zeros(2).double())
    assert torch.equal(rho, torch.zeros_like(rho))
    plain = torch.nn.functional.one_hot(scores.argmax(3), 4).double().mean(2)
    assert torch.equal(shares, plain)


def test_gamma_one_is_an_equality_whose_duals_sum_to_zero_and_may_be_negative():
    rho, _, _ = run(stream(4, 50), torch.full((2,), 0.1).double(), torch.ones(2).double())
    torch.testing.assert_close(rho.sum(1), torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-12)
    assert (rho < 0).any()


def test_adding_a_constant_to_the_duals_changes_no_label():
    score = stream(5, 1)[0]
    rho = torch.randn(2, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    one, two = (size_dual(score, r, torch.ones(2), torch.full((2,), 0.9)) for r in (rho, rho + 5))
    assert torch.equal(one.labels, two.labels)


def test_members_keep_their_own_bounds_and_an_infinite_upper_bound_is_none():
    score, rho = stream(6, 1)[0], torch.zeros(2, 4, dtype=torch.float64)
    step, lower = torch.tensor([0.1, 0.0]).double(), torch.tensor([0.9, 1.0]).double()
    upper = torch.tensor([float("inf"), 1.5]).double()
    both = size_dual(score, rho, step, lower, rho.clone(), upper)
    assert torch.equal(both.rho_upper[0], rho[0]) and both.rho_upper.isfinite().all()
    for m in range(2):
        one = slice(m, m + 1)
        alone = size_dual(score[one], rho[one], step[one], lower[one], rho[one], upper[one])
        for name in ("labels", "shares", "rho", "rho_upper"):
            assert torch.equal(getattr(alone, name)[0], getattr(both, name)[m])


def flow_optimum(score, least):
    """Cheapest labels with at least `least` points in each cluster, by linear programming (integral vertices)."""
    points, classes = score.shape
    rows = np.kron(np.eye(points), np.ones(classes))
    columns = np.kron(np.ones(points), np.eye(classes))
    found = linprog(-score.ravel(), A_ub=-columns, b_ub=-np.full(classes, least), A_eq=rows, b_eq=np.ones(points))
    return found.fun


@quick
@given(st.integers(0, 10_000), st.floats(0.05, 1.0))
def test_the_lagrangian_value_of_the_duals_never_exceeds_the_flow_optimum(seed, gamma):
    score = stream(seed, 1, points=12, members=1)
    rho, _, _ = run(score.repeat(30, 1, 1, 1), torch.tensor([0.05]).double(), torch.tensor([gamma]).double())
    rho = rho.clamp_min(0)[0].numpy()
    fixed = score[0, 0].numpy()
    lagrangian = (-fixed - rho).min(1).sum() + 12 * gamma / 4 * rho.sum()
    assert lagrangian <= flow_optimum(fixed, gamma * 12 / 4) + 1e-8


def test_nan_scores_give_valid_labels_and_finite_duals_and_empty_batches_are_refused():
    score, rho = stream(7, 1)[0], torch.zeros(2, 4, dtype=torch.float64)
    clean = size_dual(score, rho, torch.ones(2), torch.ones(2))
    score[1] = float("nan")
    found = size_dual(score, rho, torch.ones(2), torch.ones(2))
    assert torch.equal(found.rho[0], clean.rho[0]) and found.rho.isfinite().all()
    assert ((found.labels >= 0) & (found.labels < 4)).all()
    with pytest.raises(ValueError, match="at least 1"):
        size_dual(score[:, :0], rho, torch.ones(2), torch.ones(2))
    with pytest.raises(ValueError, match="both or neither"):
        size_dual(score, rho, torch.ones(2), torch.ones(2), rho)
    with pytest.raises(ValueError, match=r"step must be \(2,\)"):
        size_dual(score, rho, torch.ones(3), torch.ones(2))


def test_one_cluster_and_more_clusters_than_points_are_defined():
    one = size_dual(torch.zeros(1, 3, 1), torch.zeros(1, 1), torch.ones(1), torch.full((1,), 0.9))
    assert one.labels.tolist() == [[0, 0, 0]] and float(one.shares) == 1.0
    many = size_dual(torch.eye(3, 7)[None], torch.zeros(1, 7), torch.ones(1), torch.full((1,), 0.9))
    assert many.labels.tolist() == [[0, 1, 2]]
