"""Losses of softmax predictions against soft pseudo-labels, with their logit gradients in closed form (2301.11405).

Tensors are class-major, (M, K, B): passes over the classes of a point are then passes over whole rows of points, ten
times as fast as over the ten last entries of (M, B, K). Every loss is a mean over the B points of a member; every
gradient is that of this mean by the logits, labels fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

__all__ = [
    "CROSS_ENTROPIES",
    "FAIRNESS",
    "FLOOR",
    "agreement",
    "fairness_of_predictions",
    "largest",
    "predictions",
    "renyi",
    "self_augmentation",
]

FLOOR = 1e-12
"""Smallest probability: keeps logarithms finite and products out of the denormal numbers, which are slow."""

LossAndSlope: TypeAlias = tuple[Tensor, Tensor]
"""(M,) loss and (M, K, B) gradient by the logits."""


def predictions(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return sigma = softmax over the classes, at least FLOOR, and its logarithm; both (M, K, B)."""
    sigma = logits.softmax(1).clamp_min_(FLOOR)
    return sigma, sigma.log()


def _mean(terms: Tensor) -> Tensor:
    """Return the mean over the points of the sum over the classes, (M, K, B) -> (M,)."""
    return terms.sum((1, 2)) / terms.shape[2]


def reverse(sigma: Tensor, log_sigma: Tensor, y: Tensor, log_y: Tensor) -> LossAndSlope:
    """Return H(sigma, y) = -sum_k sigma ln y, the paper's: it is linear in sigma, and flat where y is uniform."""
    del log_sigma, y
    terms = sigma * log_y
    of_points = terms.sum(1, keepdim=True)
    slope = terms.neg_().addcmul_(sigma, of_points)
    return -of_points.sum((1, 2)) / sigma.shape[2], slope / sigma.shape[2]


def forward(sigma: Tensor, log_sigma: Tensor, y: Tensor, log_y: Tensor) -> LossAndSlope:
    """Return H(y, sigma) = -sum_k y ln sigma, the standard cross-entropy."""
    del log_y
    return -_mean(y * log_sigma), (sigma - y) / sigma.shape[2]


def symmetric(sigma: Tensor, log_sigma: Tensor, y: Tensor, log_y: Tensor) -> LossAndSlope:
    """Return half of reverse plus half of forward."""
    loss, slope = reverse(sigma, log_sigma, y, log_y)
    forward_loss, forward_slope = forward(sigma, log_sigma, y, log_y)
    return (loss + forward_loss) / 2, (slope + forward_slope) / 2


def collision(sigma: Tensor, log_sigma: Tensor, y: Tensor, log_y: Tensor) -> LossAndSlope:
    """Return -ln sum_k sigma y: minus the logarithm of the probability that two draws agree."""
    del log_sigma, log_y
    joint = sigma * y
    agree = joint.sum(1, keepdim=True)
    return -_mean(agree.log()), (sigma - joint / agree) / sigma.shape[2]


CROSS_ENTROPIES: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], LossAndSlope]] = {
    "reverse": reverse,
    "forward": forward,
    "symmetric": symmetric,
    "collision": collision,
}
"""Name -> function of (sigma, ln sigma, y, ln y)."""


def renyi(sigma: Tensor, log_sigma: Tensor, order: float) -> LossAndSlope:
    """Return Renyi's entropy of sigma (48), ln(sum_k sigma^a) / (1 - a): Shannon's at 1, -ln max sigma at infinity."""
    points = sigma.shape[2]
    if order == 1.0:
        return reverse_of_itself(sigma, log_sigma)
    if order == float("inf"):
        top, place = sigma.max(1, keepdim=True)
        picked = torch.zeros_like(sigma).scatter_(1, place, 1.0)
        return -_mean(top.log()), (sigma - picked) / points
    powers = (order * log_sigma).exp()
    total = powers.sum(1, keepdim=True)
    return _mean(total.log()) / (1.0 - order), (powers / total - sigma) * (order / (1.0 - order) / points)


def reverse_of_itself(sigma: Tensor, log_sigma: Tensor) -> LossAndSlope:
    """Return H(sigma); its slope is that of reverse cross-entropy with y = sigma, since sum sigma' = 0."""
    return reverse(sigma, log_sigma, sigma, log_sigma)


def _kl_to_mean(mean: Tensor) -> Tensor:
    """Return KL(u || q) of means q (M, K), with u = 1/K."""
    return -(mean * mean.shape[1]).log().mean(1)


def _kl_from_mean(mean: Tensor) -> Tensor:
    """Return KL(q || u) of means q (M, K), with u = 1/K."""
    return (mean * (mean * mean.shape[1]).log()).sum(1)


def _negative_entropy(mean: Tensor) -> Tensor:
    """Return -H(q) of means q (M, K)."""
    return (mean * mean.log()).sum(1)


FAIRNESS: dict[str, Callable[[Tensor], Tensor]] = {
    "kl_u_y": _kl_to_mean,
    "kl_y_u": _kl_from_mean,
    "entropy": _negative_entropy,
}
"""Name -> fairness term of a mean (M, K) > 0, for the uniform target u = 1/K; (M,)."""


def fairness_of_predictions(form: str, sigma: Tensor, weight: Tensor) -> LossAndSlope:
    """Return lambda (M,) times the fairness term `form` of the mean prediction, and its slope."""
    classes, points = sigma.shape[1:]
    mean = sigma.mean(2)
    by_mean = -1.0 / (classes * mean) if form == "kl_u_y" else mean.log()  # up to a constant, which has no slope
    inner = (sigma * by_mean[:, :, None]).sum(1, keepdim=True)
    slope = sigma * (by_mean[:, :, None] - inner)
    return weight * FAIRNESS[form](mean), slope * (weight / points)[:, None, None]


def agreement(sigma: Tensor, log_sigma: Tensor, other: Tensor, log_other: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the loss (7), the mean of KL(sigma || other) + KL(other || sigma), and its slopes by both logits."""
    gap, apart, points = log_sigma - log_other, sigma - other, sigma.shape[2]
    one = sigma * (gap - (sigma * gap).sum(1, keepdim=True)) + apart
    two = other * ((other * gap).sum(1, keepdim=True) - gap) - apart
    return _mean(apart * gap), one / points, two / points


def self_augmentation(
    seen: tuple[Tensor, Tensor], views: Sequence[Tensor], weight: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """Return w L_N (M,), the mean `agreement` over the views, and its slopes by the logits of the points and each view.

    Args:
        seen: sigma and ln sigma of the points, (M, K, B).
        views: logits (M, K, B) of each of their views; without any the loss is 0.
        weight: (M,) w.
    """
    slopes, apart = [torch.zeros_like(seen[0])], torch.zeros_like(weight)
    for view in views:
        distance, one, two = agreement(*seen, *predictions(view))
        share = weight / len(views)
        slopes[0] = slopes[0] + one * share[:, None, None]
        slopes.append(two * share[:, None, None])
        apart = apart + distance * share
    return apart, slopes


def largest(logits: Tensor) -> Tensor:
    """Return the class of the largest logit, (M, K, n) -> (M, n); some class where one is NaN.

    `max` over the middle dimension is six times as fast as `argmax` over it.
    """
    return logits.max(1).indices
