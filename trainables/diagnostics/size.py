"""What hard regularisation logs about sizes, costs and centroids, a number a member (no labels of the data)."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["centroid_gap", "divergence_from_prior", "entropy_share", "size_dispersion"]


def entropy_share(sizes: Tensor) -> Tensor:
    """Return H(sizes) / ln K of each row of sizes (M, K): 1 when even, 0 for one cluster and for K = 1."""
    shares = sizes / sizes.sum(1, keepdim=True).clamp_min(1e-12)
    return -torch.xlogy(shares, shares).sum(1) / torch.tensor(float(max(sizes.shape[1], 2))).log()


def size_dispersion(sizes: Tensor) -> Tensor:
    """Return variance over mean of each row of sizes (M, K): 0 when even, N for one cluster of many."""
    mean = sizes.mean(1)
    return ((sizes - mean.unsqueeze(1)) ** 2).mean(1) / mean.clamp_min(1e-12)


def divergence_from_prior(sizes: Tensor, shares: Tensor) -> Tensor:
    """Return KL* of paper 2303.16521, sum_k p_k ln(p_k / pi_k) in nats, with both sorted: matched by rank, not label.

    Args:
        sizes: (M, K) sizes of clusters, p up to their sum.
        shares: (M, K) prior pi, positive.
    """
    observed = (sizes / sizes.sum(1, keepdim=True).clamp_min(1e-12)).sort(1).values
    expected = shares.sort(1).values
    return torch.xlogy(observed, observed / expected).sum(1).clamp_min(0.0)


def centroid_gap(centroids: Tensor) -> Tensor:
    """Return the least distance between two centroids, (M,), of centroids (M, K, d); 0 for K = 1."""
    if centroids.shape[1] == 1:
        return torch.zeros(len(centroids), device=centroids.device)
    return torch.stack([torch.nn.functional.pdist(member).min() for member in centroids.detach()])
