"""What every loss on the unit sphere needs: unit vectors that are defined, with a finite gradient, at zero too."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["cluster_sums", "nearest_centres", "product", "unit"]

TINY = 1e-12
"""Vectors not longer than this count as zero."""


def unit(points: Tensor) -> Tensor:
    """Return `points` (..., d) scaled to length one; a zero vector stays zero, and its gradient stays finite.

    (Dividing by max(length, 1e-12), the usual way, has a gradient of 1e12 at zero.)
    """
    length = torch.linalg.vector_norm(points, dim=-1, keepdim=True)
    return points / torch.where(length > TINY, length, torch.ones_like(length))


def product(left: Tensor, right: Tensor) -> Tensor:
    """Return left @ right of each member, (M, a, b) x (M, b, c); a vector times a matrix sums otherwise in a bundle."""
    if len(left) > 1 and 1 in (*left.shape[1:], *right.shape[1:]):
        return torch.cat(list(map(torch.bmm, left.chunk(len(left)), right.chunk(len(right)))))
    return torch.bmm(left, right)


def nearest_centres(points: Tensor, centres: Tensor) -> Tensor:
    """Return the centre with the largest cosine to each point, (M, N) int64; members in turn, each with its own bits.

    Args:
        points: (M, N, d).
        centres: (M, K, d).
    """
    rows = []
    for own, centre in zip(unit(points), unit(centres), strict=True):
        rows.append((own @ centre.T).argmax(1))
    return torch.stack(rows)


def cluster_sums(points: Tensor, labels: Tensor, n_clusters: int, weights: Tensor | None = None) -> Tensor:
    """Return the sum of the points of each cluster.

    Args:
        points: (M, B, d).
        labels: (M, B) int64 in -1..K-1; -1 belongs to no cluster.
        n_clusters: K.
        weights: (M, B) factor of each point; None is 1.

    Returns:
        (M, K, d); the row of an empty cluster is zero.
    """
    member_of = (labels.unsqueeze(2) == torch.arange(n_clusters, device=labels.device)).to(points.dtype)
    if weights is not None:
        member_of = member_of * weights.unsqueeze(2)
    return product(member_of.transpose(1, 2), points)
