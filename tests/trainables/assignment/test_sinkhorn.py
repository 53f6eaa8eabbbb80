"""Sinkhorn against POT, the exact balanced assignment and its marginals."""

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.assignment.exact_hard import balanced_hard
from trainables.assignment.sinkhorn import sinkhorn

quick = settings(max_examples=12, deadline=None)


def problem(seed, members=2, points=20, classes=4):
    generator = torch.Generator().manual_seed(seed)
    log_p = torch.randn(members, points, classes, generator=generator, dtype=torch.float64).log_softmax(2)
    prior = torch.randn(members, classes, generator=generator, dtype=torch.float64).softmax(1)
    return log_p, prior


@quick
@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 6), st.floats(0.1, 8.0))
def test_the_plan_equals_that_of_an_independent_solver(seed, points, classes, sharpness):
    log_p, prior = problem(seed, 1, points, classes)
    found = sinkhorn(log_p, torch.tensor([sharpness]), prior, tolerance=1e-10, max_iterations=5_000)
    rows, columns = np.full(points, 1 / points), prior[0].numpy()
    expected = ot.sinkhorn(
        rows, columns, -log_p[0].numpy(), 1 / sharpness, method="sinkhorn_log", stopThr=1e-11, numItermax=5_000
    )
    np.testing.assert_allclose(found.q[0].numpy() / points, expected, atol=1e-7)


@quick
@given(st.integers(0, 10_000))
def test_rows_are_exact_and_columns_within_the_tolerance(seed):
    log_p, prior = problem(seed)
    found = sinkhorn(log_p, torch.tensor([0.5, 2.0]), prior, tolerance=1e-6, max_iterations=5_000)
    torch.testing.assert_close(found.q.sum(2), torch.ones(2, 20, dtype=torch.float64), rtol=0, atol=1e-12)
    off = (found.q.mean(1) - prior).abs().sum(1)
    assert (off <= 1e-6 + 1e-12).all()
    torch.testing.assert_close(off, found.residual, rtol=0, atol=1e-12)


def test_sharper_plans_approach_the_exact_balanced_assignment_from_above():
    log_p, _ = problem(5, 1, 40, 4)
    exact = balanced_hard(-log_p)
    optimum = float(-log_p[0].gather(1, exact[0][:, None]).sum())
    costs = []
    for sharpness in (1.0, 10.0, 50.0):
        found = sinkhorn(log_p, torch.tensor([sharpness]), tolerance=1e-5, max_iterations=3_000)
        costs.append(float(-(found.q * log_p).sum()))
    assert costs[0] > costs[1] > costs[2] >= optimum - 1e-3
    assert costs[2] == pytest.approx(optimum, rel=2e-2)
    assert (found.labels == exact).float().mean() >= 0.9


def test_a_sharpness_that_underflows_float32_stays_finite():
    log_p, _ = problem(6, 1)
    found = sinkhorn((40 * log_p).float(), torch.tensor([1000.0]), max_iterations=50)
    assert found.q.isfinite().all() and found.q.dtype == torch.float32


def test_an_empty_class_gets_nothing():
    log_p, _ = problem(7, 1)
    found = sinkhorn(log_p, torch.tensor([5.0]), torch.tensor([[0.5, 0.0, 0.25, 0.25]]))
    assert float(found.q[..., 1].abs().max()) == 0.0 and float(found.residual) <= 1e-4


def test_a_fixed_number_of_sweeps_is_a_tolerance_of_zero():
    log_p, prior = problem(8)
    found = sinkhorn(log_p, torch.tensor([2.0, 2.0]), prior, tolerance=0.0, max_iterations=3)
    assert found.iterations.tolist() == [3, 3]


def test_a_member_of_a_batch_equals_itself_alone_bit_for_bit_and_nan_stays_inside():
    log_p, prior = problem(9, 4, 50, 6)
    log_p = log_p.float()
    sharpness = torch.tensor([0.5, 30.0, 5.0, 100.0])
    together = sinkhorn(log_p, sharpness, prior)
    assert len(set(together.iterations.tolist())) > 1
    for m in range(4):
        one = slice(m, m + 1)
        alone = sinkhorn(log_p[one], sharpness[one], prior[one])
        for name in ("q", "labels", "iterations", "residual"):
            assert torch.equal(getattr(alone, name)[0], getattr(together, name)[m])
    log_p[1, 3] = float("nan")
    spoilt = sinkhorn(log_p, sharpness, prior)
    assert spoilt.q[1].isnan().any() and spoilt.iterations[1] == 1
    assert torch.equal(spoilt.q[[0, 2, 3]], together.q[[0, 2, 3]])


def test_one_class_more_classes_than_points_and_wrong_shapes():
    assert torch.equal(sinkhorn(torch.zeros(1, 3, 1), torch.ones(1)).q, torch.ones(1, 3, 1))
    few, _ = problem(1, 1, 3, 9)
    assert sinkhorn(few, torch.ones(1)).q.isfinite().all()
    with pytest.raises(ValueError, match="at least 1"):
        sinkhorn(torch.zeros(1, 0, 3), torch.ones(1))
    with pytest.raises(ValueError, match=r"sharpness must be \(1,\)"):
        sinkhorn(torch.zeros(1, 2, 3), torch.ones(2))
    with pytest.raises(ValueError, match=r"prior must be \(1, 3\)"):
        sinkhorn(torch.zeros(1, 2, 3), torch.ones(1), torch.ones(3))
