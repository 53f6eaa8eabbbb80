"""Losses against soft labels and their closed-form slopes, against autograd and the identities of methods 4.8."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trainables.losses import soft_labels
from trainables.losses.soft_labels import (
    CROSS_ENTROPIES,
    FAIRNESS,
    agreement,
    collision,
    fairness_of_predictions,
    forward,
    predictions,
    renyi,
    reverse,
    symmetric,
)

SHAPES = st.tuples(st.integers(1, 3), st.integers(2, 6), st.integers(1, 9))
SEEDS = st.integers(0, 10_000)


def problem(shape: tuple[int, int, int], seed: int) -> tuple[Tensor, Tensor]:
    """Logits and labels (M, K, B), float64."""
    generator = torch.Generator().manual_seed(seed)
    logits, others = (2.0 * torch.randn(*shape, generator=generator).double() for _ in range(2))
    return logits, others.softmax(1)


def slope_by_autograd(loss: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    leaf = logits.clone().requires_grad_()
    return torch.autograd.grad(loss(leaf).sum(), leaf)[0]


PLAIN: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "reverse": lambda s, y: -(s * y.log()).sum(1).mean(1),
    "forward": lambda s, y: -(y * s.log()).sum(1).mean(1),
    "symmetric": lambda s, y: -(s * y.log() + y * s.log()).sum(1).mean(1) / 2,
    "collision": lambda s, y: -(s * y).sum(1).log().mean(1),
}


@settings(max_examples=15, deadline=None)
@given(SHAPES, SEEDS, st.sampled_from(sorted(CROSS_ENTROPIES)))
def test_each_cross_entropy_and_its_slope(shape: tuple[int, int, int], seed: int, name: str) -> None:
    logits, y = problem(shape, seed)
    loss, slope = CROSS_ENTROPIES[name](*predictions(logits), y, y.log())
    torch.testing.assert_close(loss, PLAIN[name](logits.softmax(1), y))
    torch.testing.assert_close(slope, slope_by_autograd(lambda z: PLAIN[name](z.softmax(1), y), logits))


@settings(max_examples=15, deadline=None)
@given(SHAPES, SEEDS, st.sampled_from([0.1, 0.5, 1.0, 2.0, 5.0, math.inf]))
def test_renyi_entropy_and_its_slope(shape: tuple[int, int, int], seed: int, order: float) -> None:
    logits, _ = problem(shape, seed)

    def plain(z: Tensor) -> Tensor:
        sigma = z.softmax(1)
        if order == 1.0:
            return -(sigma * sigma.log()).sum(1).mean(1)
        if order == math.inf:
            return -sigma.amax(1).log().mean(1)
        return (sigma**order).sum(1).log().mean(1) / (1.0 - order)

    loss, slope = renyi(*predictions(logits), order)
    torch.testing.assert_close(loss, plain(logits))
    torch.testing.assert_close(slope, slope_by_autograd(plain, logits))


@settings(max_examples=15, deadline=None)
@given(SHAPES, SEEDS, st.sampled_from(sorted(FAIRNESS)))
def test_fairness_of_predictions_and_its_slope(shape: tuple[int, int, int], seed: int, form: str) -> None:
    logits, _ = problem(shape, seed)
    weight = torch.linspace(1.0, 3.0, shape[0]).double()

    def plain(z: Tensor) -> Tensor:
        mean, u = z.softmax(1).mean(2), 1.0 / shape[1]
        terms = {
            "kl_u_y": u * (u / mean).log(),
            "kl_y_u": mean * (mean / u).log(),
            "entropy": mean * mean.log(),
        }
        return weight * terms[form].sum(1)

    loss, slope = fairness_of_predictions(form, predictions(logits)[0], weight)
    torch.testing.assert_close(loss, plain(logits))
    torch.testing.assert_close(slope, slope_by_autograd(plain, logits))


@settings(max_examples=15, deadline=None)
@given(SHAPES, SEEDS)
def test_agreement_and_both_slopes(shape: tuple[int, int, int], seed: int) -> None:
    one, _ = problem(shape, seed)
    two, _ = problem(shape, seed + 1)

    def plain(a: Tensor, b: Tensor) -> Tensor:
        s, t = a.softmax(1), b.softmax(1)
        return (s * (s / t).log() + t * (t / s).log()).sum(1).mean(1)

    loss, by_one, by_two = agreement(*predictions(one), *predictions(two))
    torch.testing.assert_close(loss, plain(one, two))
    torch.testing.assert_close(by_one, slope_by_autograd(lambda z: plain(z, two), one))
    torch.testing.assert_close(by_two, slope_by_autograd(lambda z: plain(one, z), two))


@settings(max_examples=20, deadline=None)
@given(SHAPES, SEEDS)
def test_reverse_is_entropy_plus_divergence_and_linear_in_sigma(shape: tuple[int, int, int], seed: int) -> None:
    logits, y = problem(shape, seed)
    sigma, log_sigma = predictions(logits)
    entropy = renyi(sigma, log_sigma, 1.0)[0]
    divergence = (sigma * (log_sigma - y.log())).sum(1).mean(1)
    torch.testing.assert_close(reverse(sigma, log_sigma, y, y.log())[0], entropy + divergence)
    other = predictions(problem(shape, seed + 2)[0])[0]
    halfway = (sigma + other) / 2
    of = [reverse(s, s.log(), y, y.log())[0] for s in (sigma, other, halfway)]
    torch.testing.assert_close(of[2], (of[0] + of[1]) / 2)


def test_reverse_has_no_slope_at_uniform_labels_and_meets_forward_where_both_are_one() -> None:
    logits, _ = problem((2, 5, 7), 3)
    sigma, log_sigma = predictions(logits)
    uniform = torch.full_like(sigma, 0.2)
    assert reverse(sigma, log_sigma, uniform, uniform.log())[1].abs().max() < 1e-15
    assert forward(sigma, log_sigma, uniform, uniform.log())[1].abs().max() > 1e-3
    same = (sigma, log_sigma, sigma, log_sigma)
    torch.testing.assert_close(reverse(*same)[0], forward(*same)[0])
    torch.testing.assert_close(symmetric(*same)[0], forward(*same)[0])


def test_one_hot_labels_keep_every_loss_finite() -> None:
    logits, _ = problem((1, 4, 6), 4)
    hard = torch.full((1, 4, 6), 1e-12).double().index_fill_(1, torch.tensor([2]), 1.0)
    for loss in (reverse, forward, symmetric, collision):
        value, slope = loss(*predictions(logits * 50), hard, hard.log())
        assert value.isfinite().all() and slope.isfinite().all()


@settings(max_examples=20, deadline=None)
@given(st.floats(0.0, 8.0), st.sampled_from([0.1, 0.5, 2.0, 5.0]))
def test_renyi_of_two_classes_has_the_closed_form_of_eq_34(x: float, order: float) -> None:
    logits = torch.tensor([[[x], [0.0]]], dtype=torch.float64)
    closed = math.log((1 + math.exp(-x)) ** order / (1 + math.exp(-order * x))) / (order - 1)
    assert float(renyi(*predictions(logits), order)[0]) == pytest.approx(closed, abs=1e-9)


def test_renyi_falls_with_its_order_and_is_ln_k_at_uniform() -> None:
    sigma, log_sigma = predictions(problem((1, 5, 20), 5)[0])
    values = [float(renyi(sigma, log_sigma, order)[0]) for order in (0.1, 0.5, 1.0, 2.0, 5.0, math.inf)]
    assert values == sorted(values, reverse=True)
    near = float(renyi(sigma, log_sigma, 1.0 + 1e-6)[0])
    assert near == pytest.approx(values[2], abs=1e-5)
    flat = predictions(torch.zeros(1, 5, 3).double())
    assert [float(renyi(*flat, order)[0]) for order in (0.1, 1.0, 5.0, math.inf)] == pytest.approx([math.log(5)] * 4)


def test_slopes_at_collapse_are_the_measured_ones() -> None:
    """Plateau of methods 4.7, K = 10: all points in one class by a logit gap of 6, labels of strong fairness."""
    from trainables.assignment.em import em

    logits = torch.zeros(1, 10, 250).double()
    logits[:, 0] = 6.0
    sigma, log_sigma = predictions(logits)
    solved = em(sigma.transpose(1, 2), torch.tensor([100.0]).double(), max_iterations=2000, tolerance=1e-14)
    y, log_y = solved.y.transpose(1, 2), solved.log_y.transpose(1, 2)
    norms = {
        name: float(loss(sigma, log_sigma, y, log_y)[1][0, :, 0].norm()) * 250
        for name, loss in (("reverse", reverse), ("forward", forward))
    }
    assert norms["reverse"] == pytest.approx(2.0e-3, rel=0.2)
    assert norms["forward"] > 100 * norms["reverse"]


def test_self_augmentation_is_the_weighted_mean_over_the_views() -> None:
    logits = torch.randn(3, 2, 4, 6, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    seen, weight = soft_labels.predictions(logits[0]), torch.tensor([0.5, 2.0], dtype=torch.float64)
    apart, slopes = soft_labels.self_augmentation(seen, list(logits[1:]), weight)
    pairs = [soft_labels.agreement(*seen, *soft_labels.predictions(view)) for view in logits[1:]]
    torch.testing.assert_close(apart, weight * (pairs[0][0] + pairs[1][0]) / 2)
    torch.testing.assert_close(slopes[2], weight[:, None, None] * pairs[1][2] / 2)
    torch.testing.assert_close(slopes[0], weight[:, None, None] * (pairs[0][1] + pairs[1][1]) / 2)
    assert not soft_labels.self_augmentation(seen, [], weight)[0].any()
