"""Boundaries of clusters of points in the plane, logged so that they can be drawn from the ledger's rows alone."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["MOST_CLUSTERS", "nearest_means", "of_plane"]

MOST_CLUSTERS = 6
"""More clusters than this are no figure that anyone reads, and three columns each."""


@torch.no_grad()
def of_plane(weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
    """Return columns (M,) `plane_<k>_x`, `plane_<k>_y`, `plane_<k>_bias`: cluster k is where its sum is the largest.

    Args:
        weight: (M, K, d).
        bias: (M, K).

    Returns:
        Nothing unless d = 2 and K <= MOST_CLUSTERS.
    """
    if weight.shape[2] != 2 or weight.shape[1] > MOST_CLUSTERS:
        return {}
    columns: dict[str, Tensor] = {}
    for label in range(weight.shape[1]):
        columns[f"plane_{label}_x"] = weight[:, label, 0]
        columns[f"plane_{label}_y"] = weight[:, label, 1]
        columns[f"plane_{label}_bias"] = bias[:, label]
    return columns


def nearest_means(points: Tensor, labels: Tensor, n_clusters: int) -> tuple[Tensor, Tensor]:
    """Return weight (1, K, d) and bias (1, K) whose largest sum is the nearest mean of the clusters of points (N, d).

    |x - c|^2 is least where 2 c x - |c|^2 is largest. A cluster without points is the largest nowhere.
    """
    counts = torch.bincount(labels, minlength=n_clusters)
    sums = torch.zeros(n_clusters, points.shape[1]).index_add_(0, labels, points)
    means = sums / counts.clamp_min(1)[:, None]
    nowhere = torch.finfo(torch.float32).min  # infinity would read as divergence
    bias = torch.where(counts > 0, -means.square().sum(1), nowhere)
    return 2.0 * means[None], bias[None]
