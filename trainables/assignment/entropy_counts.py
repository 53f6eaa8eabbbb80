"""Label assignment under an entropy term on global cluster counts (SeCu's entropy constraint, paper 2311.14310)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class EntropyCounts:
    """Labels of one batch and the counts after it.

    Attributes:
        labels: (M, B) int64.
        counts: (M, K) number of points in each cluster after the batch, dtype of the counts given.
    """

    labels: Tensor
    counts: Tensor


@torch.no_grad()
def entropy_counts(score: Tensor, counts: Tensor, weight: Tensor, previous: Tensor | None = None) -> EntropyCounts:
    """Assign a batch by score and by what one move does to alpha sum_j h(n_j / N), h(p) = p ln p.

    All points of the batch are priced against the same counts, as the authors do, so for B > 1 the objective
    `sum_i -score[i, y_i] + alpha sum_j h(n_j / N)` may rise; with B = 1 it never does. Without `previous` (the
    first epoch) the counts grow: N is their sum plus one. With it, each point leaves its previous cluster and N
    is the sum of the counts, which must include the points of the batch.

    Args:
        score: (M, B, K) scores (cosines), B >= 1.
        counts: (M, K) floating or integer cluster counts before the batch.
        weight: (M,) alpha >= 0, for the whole objective (per point it weighs alpha / N).
        previous: (M, B) labels these points had in the counts; None in the first epoch.

    Returns:
        EntropyCounts. A member with NaN scores gets valid labels; others do not notice.

    Raises:
        ValueError: A shape does not fit or the batch is empty.
    """
    _check(score, counts, weight, previous)
    n = counts.double()
    penalty = _growth(n)[:, None, :] if previous is None else _moves(n, previous)
    labels = (weight.double()[:, None, None] * penalty - score.double()).argmin(2)
    ones = torch.ones_like(labels, dtype=counts.dtype)
    after = counts.clone().scatter_add_(1, labels, ones)
    if previous is not None:
        after.scatter_add_(1, previous, -ones)
    return EntropyCounts(labels=labels, counts=after)


def negative_entropy(counts: Tensor) -> Tensor:
    """Return sum_j h(n_j / N) with N the sum of the counts, (M, K) to (M,) float64; it is 0 for empty counts."""
    n = counts.double()
    return _h(n / n.sum(1, keepdim=True).clamp_min(1.0)).sum(1)


def _h(share: Tensor) -> Tensor:
    return torch.xlogy(share, share)


def _growth(n: Tensor) -> Tensor:
    """Return the price (M, K) of one new point in each cluster; it is 0 where nothing has been counted yet."""
    total = n.sum(1, keepdim=True)
    price = _h((n + 1) / (total + 1)) - _h(n / (total + 1))
    return torch.where(total > 0, price, 0.0)


def _moves(n: Tensor, previous: Tensor) -> Tensor:
    """Return the exact change (M, B, K) of sum_j h(n_j / N) when a point moves from its previous cluster to each."""
    total = n.sum(1, keepdim=True).clamp_min(1.0)
    entering = _h((n + 1) / total) - _h(n / total)
    leaving = _h((n - 1).clamp_min(0.0) / total) - _h(n / total)
    change = entering[:, None, :] + leaving.gather(1, previous)[:, :, None]
    return change.scatter(2, previous[:, :, None], 0.0)


def _check(score: Tensor, counts: Tensor, weight: Tensor, previous: Tensor | None) -> None:
    if score.ndim != 3 or 0 in score.shape[1:]:
        raise ValueError(f"score must be (M, B, K) with B and K at least 1; got {tuple(score.shape)}")
    members, points, classes = score.shape
    if tuple(counts.shape) != (members, classes) or tuple(weight.shape) != (members,):
        raise ValueError(
            f"counts must be {(members, classes)} and weight {(members,)}; "
            f"got {tuple(counts.shape)} and {tuple(weight.shape)}"
        )
    if previous is not None and tuple(previous.shape) != (members, points):
        raise ValueError(f"previous must be {(members, points)}; got {tuple(previous.shape)}")
