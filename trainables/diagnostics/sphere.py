"""What methods on the unit sphere log about labels, centres and neighbours; numbers a member, no labels of the data.

Members are taken in turn wherever a sum runs over samples: a reduction over dim 1 of (M, N, d) may have other bits at
M = 1 than inside a bundle.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables.losses.sphere import nearest_centres, product, unit
from trainables.partitions.tables import contingency, mutual_information

__all__ = [
    "centre_preservation",
    "largest_centre_cosine",
    "nearest_other",
    "partition_change",
    "share_entropy",
    "sizes",
    "uniformity",
]


def sizes(labels: Tensor, n_clusters: int) -> Tensor:
    """Return the number of points of each cluster, (M, K) float, of labels (M, N)."""
    return torch.stack([torch.bincount(row, minlength=n_clusters) for row in labels]).float()


def share_entropy(counts: Tensor) -> Tensor:
    """Return H(n / N) / ln K of each row of counts (M, K): 1 for even sizes, 0 for one cluster (and for K = 1)."""
    shares = counts / counts.sum(1, keepdim=True).clamp_min(1.0)
    entropy = -torch.xlogy(shares, shares).sum(1)
    return entropy / torch.tensor(float(max(counts.shape[1], 2))).log()


def partition_change(before: Tensor, after: Tensor, n_clusters: int) -> Tensor:
    """Return 1 - NMI of two labelings (M, N) of the same points: 0 where only the names of clusters changed."""
    rows = []
    for old, new in zip(before.cpu().numpy(), after.cpu().numpy(), strict=True):
        mean = (_shared(old, old, n_clusters) + _shared(new, new, n_clusters)) / 2.0
        rows.append(1.0 - _shared(old, new, n_clusters) / mean if mean > 0 else 0.0)
    return torch.tensor(rows)


def _shared(first: NDArray[np.int64], second: NDArray[np.int64], n_clusters: int) -> float:
    """Return the mutual information of two labelings (N,) of the same points."""
    return float(mutual_information(contingency(first[None], second, n_clusters, n_clusters))[0])


def largest_centre_cosine(centres: Tensor) -> Tensor:
    """Return the largest cosine of two different centres, (M,), of centres (M, K, d); -1 for K = 1."""
    directions = unit(centres)
    cosines = product(directions, directions.transpose(1, 2))
    own = torch.eye(centres.shape[1], dtype=torch.bool, device=centres.device)
    return cosines.masked_fill(own, -1.0).amax((1, 2))


def uniformity(points: Tensor) -> Tensor:
    """Return ln mean_{i != j} exp(-2 |z_i - z_j|^2) over unit vectors, (M,), of (M, B, d); 0: all equal."""
    rows = []
    for member in unit(points):
        cosines = member @ member.T
        own = torch.eye(len(member), dtype=torch.bool, device=points.device)
        pairs = (4.0 * (cosines - 1.0)).masked_fill(own, -torch.inf).flatten()
        n_pairs = max(len(member) * (len(member) - 1), 1)
        rows.append(pairs.logsumexp(0) - torch.tensor(float(n_pairs)).log())
    return torch.stack(rows)


def nearest_other(queries: Tensor, points: Tensor, own: Tensor) -> Tensor:
    """Return the index of each query's nearest point by cosine, its own point left out.

    Args:
        queries: (M, P, d).
        points: (M, N, d).
        own: (P,) index of the point that each query was made from.

    Returns:
        (M, P) int64.
    """
    rows = []
    for query, point in zip(unit(queries), unit(points), strict=True):
        cosines = query @ point.T
        cosines[torch.arange(len(own)), own] = -torch.inf
        rows.append(cosines.argmax(1))
    return torch.stack(rows)


def centre_preservation(points: Tensor, neighbours: Tensor, centres: Tensor) -> Tensor:
    """Return the share of sampled neighbours whose nearest centre is that of their point, (M,).

    PIPCDR's "preservation rate" without labels; its definition is *inferred*.

    Args:
        points: (M, P, d) z.
        neighbours: (M, P, d) v = z + sigma eps.
        centres: (M, K, d).
    """
    return (nearest_centres(points, centres) == nearest_centres(neighbours, centres)).float().mean(1)
