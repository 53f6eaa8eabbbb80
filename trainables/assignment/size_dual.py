"""Label assignment under cluster-size bounds by online duals (SeCu, paper 2311.14310; its section 2 for the upper)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class SizeDual:
    """Labels of one batch and the duals after it.

    Attributes:
        labels: (M, B) int64.
        shares: (M, K) share f_j of the batch that each cluster got.
        rho: (M, K) duals of the lower bound after the update.
        rho_upper: (M, K) duals of the upper bound after the update, or None without one.
    """

    labels: Tensor
    shares: Tensor
    rho: Tensor
    rho_upper: Tensor | None


@torch.no_grad()
def size_dual(
    score: Tensor,
    rho: Tensor,
    step: Tensor,
    lower: Tensor,
    rho_upper: Tensor | None = None,
    upper: Tensor | None = None,
) -> SizeDual:
    """Assign a batch with the current duals, then move the duals towards the size bounds.

        y_i = argmax_j score_ij + rho_j - rho'_j,           f_j = share of the batch with y_i = j
        rho_j  <- rho_j - eta (f_j - gamma / K),            clamped at 0 where gamma < 1
        rho'_j <- max(0, rho'_j + eta (f_j - gamma' / K))   (supplement, section 2; not in the authors' code)

    The duals live on across batches and epochs. For any stream of scores the mean share of cluster j over T
    batches from rho = 0 is at least gamma / K - rho_j / (eta T). With gamma = 1 the bound is an equality and rho
    is free in sign. Units: duals and eta are those of `score` (the authors compare with cosines, the paper with
    -ln p = -cosine / temperature; *inferred*).

    Args:
        score: (M, B, K) scores, B >= 1; compared in float32 at least.
        rho: (M, K) duals of the lower bound.
        step: (M,) eta >= 0, dual learning rate.
        lower: (M,) gamma in [0, 1], lower bound in units of N / K.
        rho_upper: (M, K) duals of the upper bound; give both or neither of rho_upper and upper.
        upper: (M,) gamma' >= 1, upper bound in units of N / K; inf for a member without one.

    Returns:
        SizeDual. A member with NaN scores gets valid labels and finite duals; others do not notice.

    Raises:
        ValueError: A shape does not fit, the batch is empty, or one of rho_upper and upper is missing.
    """
    _check(score, rho, step, lower)
    if (rho_upper is None) != (upper is None):
        raise ValueError("rho_upper and upper belong together: give both or neither")
    classes = score.shape[2]
    price = rho if rho_upper is None else rho - rho_upper
    labels = (score.to(torch.promote_types(score.dtype, torch.float32)) + price[:, None, :]).argmax(2)
    shares = _shares(labels, rho)
    moved = rho - step[:, None] * (shares - lower[:, None] / classes)
    moved = torch.where((lower < 1)[:, None], moved.clamp_min(0.0), moved)
    above = None
    if rho_upper is not None and upper is not None:
        # step 0 times a bound of infinity would be NaN
        excess = torch.where(upper.isfinite()[:, None], shares - upper[:, None] / classes, -1.0)
        above = (rho_upper + step[:, None] * excess).clamp_min(0.0)
    return SizeDual(labels=labels, shares=shares, rho=moved, rho_upper=above)


def _check(score: Tensor, rho: Tensor, step: Tensor, lower: Tensor) -> None:
    if score.ndim != 3 or 0 in score.shape[1:]:
        raise ValueError(f"score must be (M, B, K) with B and K at least 1; got {tuple(score.shape)}")
    members, _, classes = score.shape
    for name, tensor, shape in (
        ("rho", rho, (members, classes)),
        ("step", step, (members,)),
        ("lower", lower, (members,)),
    ):
        if tuple(tensor.shape) != shape:
            raise ValueError(f"{name} must be {shape}; got {tuple(tensor.shape)}")


def _shares(labels: Tensor, like: Tensor) -> Tensor:
    counts = torch.zeros_like(like)
    counts.scatter_add_(1, labels, torch.ones_like(labels, dtype=like.dtype))
    return counts / labels.shape[1]
