"""Prior shares of clusters: where they come from, and which cluster gets which, without labels (no solver)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import Tensor

from trainables.data.derived.imbalance import imbalance_shares
from trainables.randomness import stream_seed

__all__ = ["SAMPLE", "aligned", "estimated_shares", "level_shares"]

SAMPLE = 2048
"""Points that k-means may look at."""


def level_shares(level: int, n_clusters: int) -> Tensor:
    """Return the prior that belongs to imbalance level 1, 2 or 3 of paper 2303.16521, (K,), largest share first."""
    kept = imbalance_shares(level, n_clusters)
    return (kept / kept.sum()).float().sort(descending=True).values


def estimated_shares(vectors: Tensor, n_clusters: int, seeds: Sequence[int]) -> Tensor:
    """Return each member's shares of k-means clusters of a sample of `vectors` (N, d), (M, K), largest first.

    A cluster of k-means is never empty, so no share is 0 unless there are fewer distinct points than clusters; such
    a share counts as half a point.
    """
    from sklearn.cluster import KMeans  # a second of start-up that other priors do without

    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(stream_seed(seed, "prior.sample"))
        chosen = vectors[torch.randperm(len(vectors), generator=generator)[:SAMPLE]]
        asked = KMeans(n_clusters, n_init=1, random_state=stream_seed(seed, "prior.kmeans"))
        with threadpool_limits(1):  # several threads add up in the order in which they arrive
            fitted = asked.fit(chosen.cpu().numpy())
        sizes = np.maximum(np.bincount(fitted.labels_, minlength=n_clusters), 0.5)
        rows.append(torch.from_numpy(np.sort(sizes / sizes.sum())[::-1].copy()).float())
    return torch.stack(rows).to(vectors.device)


def aligned(shares: Tensor, sizes: Tensor, reverse: bool = False) -> Tensor:
    """Return the prior of each cluster, (M, K): the largest share for the largest cluster, and so on by rank.

    The reference code of 2303.16521 aligns through the true labels; ranks need none. Ties go to the lower index.

    Args:
        shares: (M, K) in any order.
        sizes: (M, K) current sizes of the clusters.
        reverse: the largest share for the smallest cluster: a prior that is wrong on purpose.
    """
    ranks = sizes.sort(dim=1, descending=not reverse, stable=True).indices
    return torch.empty_like(shares).scatter_(1, ranks, shares.sort(1, descending=True).values)
