"""Mean silhouette (Rousseeuw 1987) of a fixed subsample in input space.

It prefers few, large clusters, so as a selection rule it is there for comparison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from orchestrator.metric import GUESSED, Cost, Metric
from trainables.partitions.scored import Scored
from trainables.partitions.tables import Floats, Ints

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.data.dataset import Dataset

_DISTANCES: WeakKeyDictionary[Dataset, Tensor] = WeakKeyDictionary()


def compute(scored: Scored) -> Floats:
    """Return the mean silhouette (M,) of the probes; 0 where it is undefined (one cluster)."""
    assert scored.data is not None, "a silhouette of labels alone"
    own = np.ascontiguousarray(scored.hard[:, scored.data.probes.numpy()])  # the layout decides the order of sums
    sums, sizes = _distances_to_clusters(own, scored.data, scored.n_clusters)
    mean = np.where(sizes[:, None, :] > 0, sums / np.maximum(sizes, 1)[:, None, :], np.inf)
    own_size = np.take_along_axis(sizes, own, axis=1)
    within = np.take_along_axis(sums, own[:, :, None], axis=2)[:, :, 0] / np.maximum(own_size - 1, 1)
    np.put_along_axis(mean, own[:, :, None], np.inf, axis=2)
    nearest = mean.min(2)
    larger = np.maximum(np.maximum(within, nearest), 1e-300)
    defined = (own_size > 1) & np.isfinite(nearest)
    widths = np.divide(nearest - within, larger, out=np.zeros_like(within), where=defined)
    result: Floats = widths.mean(1)
    return result


def _distances_to_clusters(own: Ints, data: Dataset, n_clusters: int) -> tuple[Floats, Floats]:
    """Return the sums (M, P, K) of each probe's distances to each cluster's probes, and the sizes (M, K)."""
    import torch

    members, points = own.shape
    columns = own + np.arange(members)[:, None] * n_clusters
    inside = torch.zeros(points, members * n_clusters, dtype=torch.float64)
    inside.scatter_(1, torch.from_numpy(columns.T), 1.0)
    product = _probe_distances(data) @ inside  # one wide product for all members
    sums = np.ascontiguousarray(product.numpy().reshape(points, members, n_clusters).transpose(1, 0, 2))
    return sums, inside.sum(0).numpy().reshape(members, n_clusters)


def _probe_distances(data: Dataset) -> Tensor:
    """Return distances between probes as whole numbers to 2**40, (P, P): their sums are exact in any order."""
    import torch

    if data not in _DISTANCES:
        points = data.eval_vectors[data.probes].double()
        distances = torch.cdist(points, points, compute_mode="use_mm_for_euclid_dist").fill_diagonal_(0.0)
        scale = 2.0**40 / max(float(distances.max()), 1e-300)
        _DISTANCES[data] = (distances * scale).round()
    return _DISTANCES[data]


METRIC = Metric(written="silhouette", compute=compute, cost=Cost.LAST, chance=GUESSED, ranks=True)
