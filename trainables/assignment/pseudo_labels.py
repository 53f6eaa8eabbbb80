"""What the solvers of entropy clustering's eq. (42) share: objective, checks and answer; no solver.

The problem, for fixed predictions sigma of one member (N points, K classes, all logarithms natural):

    minimise over y_i in the simplex:  mean_i H(sigma_i, y_i) + lambda fairness(u, ybar),  ybar = mean_i y_i

with H(sigma, y) = -sum_k sigma^k ln y^k and, by default, fairness = KL(u || ybar) (paper 2301.11405, eq. 42).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

FLOOR = 1e-12
"""Smallest probability the solvers work with: reverse cross-entropy is infinite at y = 0."""


@dataclass(frozen=True, kw_only=True)
class PseudoLabels:
    """Soft pseudo-labels of M members and how they were reached.

    Attributes:
        y: (M, N, K) rows on the simplex, detached, dtype of sigma.
        log_y: (M, N, K) natural logarithm of y.
        iterations: (M,) int64, iterations each member took.
        objective_before: (M,) float64, objective at the starting point.
        objective_after: (M,) float64, objective at y.
        residual: (M,) float64, what the stopping rule compared with the tolerance, at the last iteration.
    """

    y: Tensor
    log_y: Tensor
    iterations: Tensor
    objective_before: Tensor
    objective_after: Tensor
    residual: Tensor


def check_problem(sigma: Tensor, weight: Tensor, prior: Tensor | None) -> None:
    """Raise ValueError when shapes or types are not those of a problem (M, N, K), (M,), (M, K)."""
    if sigma.ndim != 3 or not sigma.is_floating_point():
        raise ValueError(f"sigma must be floating, (M, N, K); got {sigma.dtype}, {tuple(sigma.shape)}")
    members, points, classes = sigma.shape
    if points == 0 or classes == 0:
        raise ValueError(f"sigma must hold at least one point and one class; got shape {tuple(sigma.shape)}")
    if tuple(weight.shape) != (members,):
        raise ValueError(f"weight must be ({members},); got {tuple(weight.shape)}")
    if prior is not None and tuple(prior.shape) != (members, classes):
        raise ValueError(f"prior must be ({members}, {classes}); got {tuple(prior.shape)}")


def uniform_prior(sigma: Tensor) -> Tensor:
    """Return the uniform target u = 1/K as (M, K), with dtype and device of sigma (M, N, K)."""
    return sigma.new_full((sigma.shape[0], sigma.shape[2]), 1.0 / sigma.shape[2])


def forward_kl(prior: Tensor, mean: Tensor) -> Tensor:
    """Return KL(u || ybar) of each member, (M, K) and (M, K) to (M,) float64.

    Written as sum_k ybar - u - u ln(ybar/u): the first-order rounding of ybar cancels, so a float32 mean and
    a weight of 100 still give the objective to seven digits. A class with u = 0 costs only its mass.
    """
    u, q = prior.double(), mean.double()
    return (q - u - torch.xlogy(u, q) + torch.xlogy(u, u)).sum(1)


def reverse_kl(prior: Tensor, mean: Tensor) -> Tensor:
    """Return KL(ybar || u) of each member, float64 (M,), of (M, K) and (M, K); at uniform u it is -H(ybar) + ln K."""
    u, q = prior.double(), mean.double()
    return (torch.xlogy(q, q) - torch.xlogy(q, u) + u - q).sum(1)


Fairness = Callable[[Tensor, Tensor], Tensor]

FAIRNESS: dict[str, Fairness] = {"forward": forward_kl, "reverse": reverse_kl}
"""Fairness terms by name; `forward` is the paper's."""


def objective(
    sigma: Tensor, y: Tensor, weight: Tensor, prior: Tensor | None = None, fairness: str = "forward"
) -> Tensor:
    """Return mean_i H(sigma_i, y_i) + lambda * fairness(u, ybar), float64 (M,): by default the paper's eq. (42) in y.

    Args:
        sigma: (M, N, K) predictions.
        y: (M, N, K) pseudo-labels.
        weight: (M,) lambda.
        prior: (M, K) target u, or None for 1/K.
        fairness: `forward` KL(u || ybar) or `reverse` KL(ybar || u).
    """
    u = uniform_prior(sigma) if prior is None else prior
    entropy = -torch.xlogy(sigma.double(), y.double()).sum(2).mean(1)
    return entropy + weight.double() * FAIRNESS[fairness](u, y.double().mean(1))
