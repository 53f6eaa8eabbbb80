"""VAT (Miyato et al. 2015): how far predictions move under the small change of an input that moves them most."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from trainables.losses.sphere import unit

__all__ = ["adversarial_change", "divergence"]

FLOOR = 1e-8
"""Added to probabilities inside logarithms, as in IMSAT's code."""

Predict = Callable[[Tensor], Tensor]
"""Inputs (M, B, ...) -> probabilities (M, B, K)."""


def divergence(sigma: Tensor, moved: Tensor) -> Tensor:
    """Return mean_i KL(sigma_i || moved_i) of each member, (M,), of probabilities (M, B, K)."""
    return (sigma * ((sigma + FLOOR) / (moved + FLOOR)).log()).sum(2).mean(1)


def adversarial_change(predict: Predict, x: Tensor, sigma: Tensor, draws: Tensor, xi: Tensor) -> Tensor:
    """Return the unit direction (M, B, ...) in which each input changes its prediction most, by one power iteration.

    Args:
        predict: the network with its softmax.
        x: (M, B, ...) inputs.
        sigma: (M, B, K) their predictions, without gradient.
        draws: like x, standard normal: where the iteration starts.
        xi: length of the probe, a number a member, shaped to multiply x.
    """
    start = _directions(draws).requires_grad_()
    moved = divergence(sigma, predict(x + xi * start))
    (slope,) = torch.autograd.grad(moved.sum(), [start])
    return _directions(slope)


def _directions(rows: Tensor) -> Tensor:
    return unit(rows.detach().flatten(2)).view_as(rows)
