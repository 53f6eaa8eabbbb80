"""The batch assignment problem of hard regularisation (paper 2303.16521): cost, objective, moves; no solver.

Over labels y_i in {0..K-1} of one member's batch of B points, with cluster sizes n_k on top of start counts n0_k:

    J(y) = sum_i ( C[i, y_i] - ln pi_{y_i} ) + beta sum_k ( ln (n0_k + n_k)! - ln n0_k! )

beta = 1 is the paper's prior; taking the (n+1)-th point into a cluster then costs ln(n + 1).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class HardProblem:
    """One bundle's assignment problems as float64 arrays on the host, checked.

    Attributes:
        cost: (M, B, K) C - ln pi; NaN counts as +inf, so that a diverged member still gets labels.
        start: (M, K) counts before the batch.
        penalty: (M,) beta.
    """

    def __init__(
        self,
        cost: Tensor,
        start: Tensor | None = None,
        penalty: Tensor | None = None,
        prior: Tensor | None = None,
    ) -> None:
        """Check and convert.

        Args:
            cost: (M, B, K) cost of point i in cluster k; B may be 0.
            start: (M, K) counts >= 0 before the batch; None is zero.
            penalty: (M,) beta >= 0; None is 1, the paper's.
            prior: (M, K) weights pi >= 0, of any scale (a factor changes nothing); None is uniform.

        Raises:
            ValueError: A shape does not fit, K is 0, or a start count, penalty or prior is negative.
        """
        if cost.ndim != 3 or cost.shape[2] == 0:
            raise ValueError(f"cost must be (M, B, K) with K >= 1; got {tuple(cost.shape)}")
        members, _, classes = cost.shape
        self.cost = _host(cost)
        spoilt = np.isnan(self.cost)
        if spoilt.any():
            self.cost = np.where(spoilt, np.inf, self.cost)
        self.start = np.zeros((members, classes)) if start is None else _host(start)
        self.penalty = np.ones(members) if penalty is None else _host(penalty)
        for name, array, shape in (
            ("start", self.start, (members, classes)),
            ("penalty", self.penalty, (members,)),
        ):
            if array.shape != shape or not (array >= 0).all():
                raise ValueError(f"{name} must be {shape} and not negative; got shape {array.shape}")
        if prior is not None:
            weights = _host(prior)
            if weights.shape != (members, classes) or not (weights >= 0).all():
                raise ValueError(f"prior must be {(members, classes)} and not negative; got {weights.shape}")
            with np.errstate(divide="ignore"):
                self.cost = self.cost - np.log(weights)[:, None, :]

    def marginals(self, member: int) -> Floats:
        """Return the cost (K, B) of the first, second, ... point of this batch that is taken into each cluster."""
        taken = np.arange(self.cost.shape[1])
        grown: Floats = self.start[member][:, None] + taken + 1
        return np.asarray(self.penalty[member] * np.log(grown))


def _host(tensor: Tensor) -> Floats:
    """Return a tensor as a float64 array that shares its memory where it can: nobody writes to it."""
    array: Floats = tensor.detach().to("cpu", torch.float64).numpy()
    return array


def sizes(labels: Tensor, classes: int) -> Tensor:
    """Return cluster sizes (M, K) int64 of labels (M, B)."""
    counts = labels.new_zeros(labels.shape[0], classes)
    return counts.scatter_add_(1, labels, torch.ones_like(labels))


def hard_objective(
    cost: Tensor,
    labels: Tensor,
    start: Tensor | None = None,
    penalty: Tensor | None = None,
    prior: Tensor | None = None,
) -> Tensor:
    """Return J of the module's docstring, float64 (M,), for labels (M, B); arguments are those of HardProblem."""
    from scipy.special import gammaln  # slow to import

    problem = HardProblem(cost, start, penalty, prior)
    taken = np.take_along_axis(problem.cost, _host_labels(labels)[:, :, None], 2).sum((1, 2))
    counts = sizes(labels.cpu(), cost.shape[2]).numpy()
    growth = gammaln(problem.start + counts + 1) - gammaln(problem.start + 1)
    return torch.from_numpy(taken + problem.penalty * growth.sum(1))


def violated_moves(
    cost: Tensor,
    labels: Tensor,
    start: Tensor | None = None,
    penalty: Tensor | None = None,
    prior: Tensor | None = None,
) -> Tensor:
    """Return the number of single moves i: a -> b that would lower J, int64 (M,); it is 0 at an exact optimum.

    A move pays when C[i,b] + beta ln(n_b + 1) < C[i,a] + beta ln(n_a), counts with the start counts.
    """
    problem = HardProblem(cost, start, penalty, prior)
    y = _host_labels(labels)
    counts = problem.start + sizes(labels.cpu(), cost.shape[2]).numpy()
    weight = problem.penalty[:, None]
    entering = problem.cost + (weight * np.log(counts + 1))[:, None, :]
    with np.errstate(divide="ignore"):
        leaving = problem.cost + (weight * np.log(counts))[:, None, :]
    own = np.take_along_axis(leaving, y[:, :, None], 2)
    slack = 1e-9 * (1.0 + np.abs(own))
    better = entering < own - slack
    np.put_along_axis(better, y[:, :, None], False, 2)
    return torch.from_numpy(better.sum((1, 2)).astype(np.int64))


def _host_labels(labels: Tensor) -> Ints:
    array: Ints = labels.detach().cpu().numpy()
    return array
