"""Where centroids in a feature space start: random, at features, by k-means++ or k-means (no training)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import Tensor

from orchestrator.errors import RequestError
from trainables.networks import Network
from trainables.randomness import Streams

__all__ = ["CENTROID_INITS", "initial_centroids"]

SAMPLE = 2048
"""Points whose features a start may look at."""


def _plus_plus(features: Tensor, n_clusters: int, seed: int) -> Tensor:
    from sklearn.cluster import kmeans_plusplus  # a second of start-up that other kinds do without

    with threadpool_limits(1):  # several threads add up in the order in which they arrive
        return torch.from_numpy(kmeans_plusplus(features.numpy(), n_clusters, random_state=seed)[0])


def _kmeans(features: Tensor, n_clusters: int, seed: int) -> Tensor:
    from sklearn.cluster import KMeans

    with threadpool_limits(1):
        fitted = KMeans(n_clusters, n_init=1, random_state=seed).fit(features.numpy())
    return torch.from_numpy(fitted.cluster_centers_)


_BY_SEED: dict[str, Callable[[Tensor, int, int], Tensor]] = {"kmeans_plus_plus": _plus_plus, "kmeans": _kmeans}
CENTROID_INITS = ("normal", "first_features", "random_features", *_BY_SEED)
"""normal: N(0, 1), the default of 2303.16521; first_features: of the first K inputs, its warm start."""


@torch.no_grad()
def initial_centroids(kind: str, encoder: Network, inputs: Tensor, n_clusters: int, streams: Streams) -> Tensor:
    """Return starting centroids (M, K, d).

    Features are those of training mode, where centroids will be compared with them; the encoder's running statistics
    take one step by it.

    Args:
        kind: one of CENTROID_INITS.
        encoder: members' networks, in the state that training starts from.
        inputs: (N, ...) all inputs; k-means and k-means++ see at most 2,048 of them.
        n_clusters: K.
        streams: one per member; every kind but `first_features` draws from it.

    Raises:
        RequestError: more clusters than inputs.
    """
    if n_clusters > len(inputs):
        raise RequestError(f"{n_clusters} clusters, allowed: at most the {len(inputs)} points there are")
    if kind == "normal":
        return streams.normal(n_clusters, encoder.out_features)
    order = torch.arange(len(inputs)).expand(len(streams), -1)
    chosen = (order if kind == "first_features" else streams.permutation(len(inputs)).cpu())[:, :SAMPLE]
    features = encoder.forward(inputs[chosen.to(inputs.device)], True)
    if kind not in _BY_SEED:
        return features[:, :n_clusters].clone()
    seeds = [int(torch.randint(2**31 - 1, (), generator=generator)) for generator in streams.generators]
    rows = zip(features.cpu().unbind(0), seeds, strict=True)
    return torch.stack([_BY_SEED[kind](row.clone(), n_clusters, seed) for row, seed in rows]).to(inputs.device)
