"""Mutual information of two views' assignments (IIC, 1807.06653), and of points and assignments (IMSAT, 1702.08720)."""

from __future__ import annotations

from torch import Tensor

from trainables.losses.sphere import product

__all__ = ["decisiveness", "invariant_information", "mean_assignment", "spread"]

TINY = 2.0**-52
"""Shares of a joint table are at least this, as in IIC's code: cells without mass keep finite logarithms."""


def invariant_information(first: Tensor, second: Tensor, exponent: Tensor) -> Tensor:
    """Return -sum_ij P ln(P / (P_i P_j)^lambda) of each member, (M,): minus the mutual information at lambda = 1.

    P is the joint table of the two assignments over the batch, made symmetric: sum_b (a_bi b_bj + b_bi a_bj) / 2 B.

    Args:
        first: (M, B, K) soft assignments of the points.
        second: (M, B, K) those of their views.
        exponent: (M,) lambda; above 1 it asks for more even clusters.
    """
    joint = product(first.transpose(1, 2), second)
    joint = (joint + joint.transpose(1, 2)) / 2.0
    joint = joint / joint.flatten(1).sum(1).view(-1, 1, 1)
    shares = joint.sum(2)
    rows = shares.unsqueeze(2).expand_as(joint).clamp_min(TINY)
    columns = shares.unsqueeze(1).expand_as(joint).clamp_min(TINY)
    joint = joint.clamp_min(TINY)
    logs = joint.log() - exponent.view(-1, 1, 1) * (rows.log() + columns.log())
    return -(joint * logs).flatten(1).sum(1)


def mean_assignment(sigma: Tensor) -> Tensor:
    """Return the mean over the points of assignments (M, B, K), (M, K), adding up in one order in any bundle."""
    return sigma.transpose(1, 2).contiguous().mean(2)


def spread(sigma: Tensor, floor: float) -> Tensor:
    """Return H(mean assignment) of each member in nats, of sigma (M, B, K); shares count as at least `floor`."""
    shares = mean_assignment(sigma)
    return -(shares * (shares + floor).log()).sum(1)


def decisiveness(sigma: Tensor, floor: float) -> Tensor:
    """Return the mean H(sigma_i) of each member in nats, of sigma (M, B, K)."""
    return -(sigma * (sigma + floor).log()).sum(2).mean(1)
