"""Dense Newton for the pseudo-labels of entropy clustering: the paper's rival of EM, on all N K unknowns at once."""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.assignment.pseudo_labels import FLOOR, PseudoLabels, check_problem, objective, uniform_prior


@torch.no_grad()
def dense_newton(
    sigma: Tensor,
    weight: Tensor,
    prior: Tensor | None = None,
    *,
    tolerance: float = 1e-6,
    max_iterations: int = 100,
) -> PseudoLabels:
    """Minimise mean_i H(sigma_i, y_i) + lambda KL(u || ybar) over y by Newton steps on the full KKT system.

    What paper 2301.11405 compares EM with in its Table 1: equality-constrained Newton from y = sigma, each step a
    solve with (N K + N)^2 entries. Steps end 1 % before the boundary and are halved until the objective falls
    (Armijo). Members are solved in turn, in float64. It is a yardstick: memory and time grow as (N K)^2 and
    (N K)^3, and very unequal entries of sigma make it crawl; `newton` has neither fault.

    Args:
        sigma: (M, N, K) predictions, rows on the simplex; entries below 1e-12 count as 1e-12.
        weight: (M,) fairness weight lambda >= 0.
        prior: (M, K) target u, rows on the simplex; None is 1/K.
        tolerance: half the squared Newton decrement, in nats, at which a member stops.
        max_iterations: cap on Newton steps.

    Returns:
        PseudoLabels; `residual` is half the squared decrement, an estimate of the gap (not a bound).

    Raises:
        ValueError: Shapes or types do not fit, or the batch is empty.
    """
    check_problem(sigma, weight, prior)
    u = uniform_prior(sigma) if prior is None else prior
    rows = [_member(*one, tolerance, max_iterations) for one in zip(sigma, weight, u, strict=True)]
    y = torch.stack([row[0] for row in rows])
    labels = y.to(sigma.dtype)
    return PseudoLabels(
        y=labels,
        log_y=y.log().to(sigma.dtype),
        iterations=torch.tensor([row[1] for row in rows]),
        objective_before=objective(sigma, sigma, weight, prior),
        objective_after=objective(sigma, labels, weight, prior),
        residual=torch.tensor([row[2] for row in rows], dtype=torch.float64),
    )


def _member(sigma: Tensor, weight: Tensor, prior: Tensor, tolerance: float, cap: int) -> tuple[Tensor, int, float]:
    sigma = sigma.detach().double().clamp_min(FLOOR)
    sigma = sigma / sigma.sum(1, keepdim=True)
    price = weight.double() * prior.double()
    y, estimate = sigma, float("inf")
    for iteration in range(cap):
        slope = -(sigma / y + price / y.mean(0)) / len(y)
        direction = _direction(sigma, y, price, slope)
        estimate = -float((slope * direction).sum()) / 2
        if not estimate > tolerance:  # NaN stops too
            return y, iteration, estimate
        y = _search(sigma, y, price, direction, -2 * estimate)
    return y, cap, estimate


def _direction(sigma: Tensor, y: Tensor, price: Tensor, slope: Tensor) -> Tensor:
    """Return Newton's direction under row sums of zero, from the dense KKT system over unknowns in the order (i, k)."""
    points, classes = y.shape
    curvature = torch.kron(torch.ones_like(y[:, :1]) @ torch.ones_like(y[:, :1]).T, (price / y.mean(0) ** 2).diag())
    hessian = (sigma / y**2 / points).ravel().diag() + curvature / points**2
    rows = torch.kron(torch.eye(points, dtype=y.dtype), torch.ones(1, classes, dtype=y.dtype))
    system = torch.cat([torch.cat([hessian, rows.T], 1), torch.cat([rows, rows.new_zeros(points, points)], 1)], 0)
    right = torch.cat([-slope.ravel(), slope.new_zeros(points)])
    solution: Tensor = torch.linalg.solve_ex(system, right)[0]
    return solution[: points * classes].view_as(y)


def _search(sigma: Tensor, y: Tensor, price: Tensor, direction: Tensor, slope: float) -> Tensor:
    """Return the first of 40 halvings that stays inside and lowers the objective by 1e-4 of what the slope promises."""

    def value(labels: Tensor) -> float:
        return -float((sigma * labels.log()).sum() / len(y) + (price * labels.mean(0).log()).sum())

    length = min(1.0, 0.99 / max(1e-12, float((-direction / y).max())))
    before = value(y)
    for _ in range(40):
        trial = y + length * direction
        if value(trial) <= before + 1e-4 * length * slope:
            return trial
        length /= 2
    return y
