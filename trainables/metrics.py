"""External and internal metrics and the collapse label of whole bundles, from tables of counts.

Each number of a member comes from its own tables only, and sums that a shared product takes are exact
integers, so a member's metrics are the same bits alone and in any bundle.
"""

from __future__ import annotations

from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import expected_mutual_information
from torch import Tensor

from trainables.data.dataset import Dataset

__all__ = ["EXTERNAL_METRICS", "INTERNAL_METRICS", "contingency", "mutual_information", "score"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

EXTERNAL_METRICS = ("metric.acc", "metric.nmi", "metric.ari", "metric.ami", "metric.semantic_preservation")
"""Metrics that read labels; `metric.ami` at the last evaluation only, `metric.semantic_preservation` by methods that
sample neighbours."""

INTERNAL_METRICS = (
    "metric.neighbour_mi",
    "metric.max_share",
    "metric.effective_clusters",
    "metric.n_clusters_used",
    "metric.collapsed",
    "metric.feature_std",
    "metric.silhouette",
    "metric.preservation",
)
"""Metrics that read no label. `metric.feature_std` only where features are given, `metric.silhouette` and
`metric.preservation` at the last evaluation only."""

MAX_SHARE, FLAT_FEATURES = 0.9, 0.05  # the collapse label of methods.md section 6


def score(
    predictions: Tensor, data: Dataset, n_clusters: int, last: bool, features: Tensor | None = None
) -> list[dict[str, float]]:
    """Return one row of metrics per member.

    Args:
        predictions: (M, N) int64 cluster of each of `data.eval_inputs`, 0 <= cluster < n_clusters.
        data: what was clustered; its labels reach external metrics only.
        n_clusters: K, the number of clusters the method may use; need not be the number of classes.
        last: adds the dear metrics (AMI, silhouette, preservation).
        features: (M, N, d) learned features whose collapse counts too; None for methods without.

    Returns:
        Rows of `metric.<name>`. Mutual information is in nats; shares are in [0, 1].
    """
    hard: Ints = predictions.detach().cpu().numpy()
    table = contingency(hard, data.eval_labels.numpy(), n_clusters, data.n_classes)
    pairs = _neighbour_pairs(hard, data, n_clusters)
    columns = _external(table, last) | _sizes(table.sum(2), n_clusters)
    columns["metric.neighbour_mi"] = mutual_information(pairs)
    if features is not None:
        spread = _feature_std(features)
        columns["metric.feature_std"] = spread
        flat = spread < FLAT_FEATURES / np.sqrt(features.shape[2])
        columns["metric.collapsed"] = np.maximum(columns["metric.collapsed"], flat)
    if last:
        columns["metric.preservation"] = np.trace(pairs, axis1=1, axis2=2) / pairs.sum((1, 2))
        columns["metric.silhouette"] = _silhouette(hard, data, n_clusters)
    return [{name: float(column[member]) for name, column in columns.items()} for member in range(len(hard))]


def contingency(hard: Ints, labels: Ints, n_rows: int, n_columns: int) -> Ints:
    """Return the tables (M, n_rows, n_columns) that count (cluster, label); `labels` is (N,) or (M, N)."""
    cells = hard * n_columns  # then in place: fresh memory for each step would cost more than the counting
    cells += labels
    cells += np.arange(len(hard))[:, None] * (n_rows * n_columns)
    counts = np.bincount(cells.ravel(), minlength=len(hard) * n_rows * n_columns)
    return counts.reshape(len(hard), n_rows, n_columns).astype(np.int64, copy=False)


def _entropy(counts: Ints) -> Floats:
    """Entropy in nats of each row of counts (M, n)."""
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    result: Floats = -(shares * logs).sum(1)
    return np.abs(result)  # -0.0 becomes 0.0


def mutual_information(table: Ints) -> Floats:
    """Return the mutual information in nats of each table of counts (M, R, C)."""
    total = table.sum((1, 2))
    expected = table.sum(2)[:, :, None] * table.sum(1)[:, None, :]  # n a_i b_j would be the count under independence
    shares = table / np.maximum(total, 1)[:, None, None]
    filled = table > 0
    ratio = np.divide(table * total[:, None, None], expected, out=np.ones_like(shares), where=filled)
    result: Floats = (shares * np.log(ratio)).reshape(len(table), -1).sum(1)
    return np.maximum(result, 0.0)


def _external(table: Ints, last: bool) -> dict[str, Any]:
    """ACC by Hungarian matching, NMI and AMI with the arithmetic mean, ARI, as scikit-learn defines them."""
    clusters, classes = table.sum(2), table.sum(1)
    information = mutual_information(table)
    mean = (_entropy(clusters) + _entropy(classes)) / 2
    trivial = ((clusters > 0).sum(1) == 1) & ((classes > 0).sum(1) == 1)  # both sides one cluster: equal, hence 1
    tiny = information <= np.finfo(np.float64).eps
    nmi = np.where(tiny, 0.0, information / np.where(mean > 0, mean, 1.0))
    columns: dict[str, Any] = {
        "metric.acc": _accuracy(table),
        "metric.nmi": np.where(trivial, 1.0, nmi),
        "metric.ari": _adjusted_rand(table),
    }
    if last:
        used = [member[member.any(1)][:, member.any(0)] for member in table]  # it takes logarithms of sizes
        by_chance = np.array([expected_mutual_information(member, int(member.sum())) for member in used])
        columns["metric.ami"] = np.where(trivial | _equal(table), 1.0, _adjusted(information, mean, by_chance))
    return columns


def _equal(table: Ints) -> npt.NDArray[np.bool_]:
    """Whether clusters and classes are one partition; of single points by chance too, where AMI would be 0 / 0."""
    filled = table > 0
    found: npt.NDArray[np.bool_] = (filled.sum(1) <= 1).all(1) & (filled.sum(2) <= 1).all(1)
    return found


def _accuracy(table: Ints) -> Floats:
    shares = []
    for member in table:
        rows, columns = linear_sum_assignment(member, maximize=True)
        shares.append(member[rows, columns].sum() / member.sum())
    return np.array(shares)


def _adjusted(information: Floats, mean: Floats, by_chance: Floats) -> Floats:
    """AMI (Vinh et al. 2010, with the arithmetic mean); a vanishing denominator keeps its sign."""
    eps = np.finfo(np.float64).eps
    span = mean - by_chance
    span = np.where(span < 0, np.minimum(span, -eps), np.maximum(span, eps))
    excess = information - by_chance
    return np.where(np.abs(excess) < eps, 0.0, excess / span)


def _adjusted_rand(table: Ints) -> Floats:
    """ARI (Hubert and Arabie 1985) from counts of ordered pairs, float64: exact up to 2**53 pairs."""
    total = table.sum((1, 2)).astype(np.float64)
    together = (table.astype(np.float64) ** 2).sum((1, 2))
    in_cluster = (table.sum(2).astype(np.float64) ** 2).sum(1)
    in_class = (table.sum(1).astype(np.float64) ** 2).sum(1)
    both, only_cluster, only_class = together - total, in_cluster - together, in_class - together
    neither = total**2 - in_cluster - in_class + together
    span = (both + only_class) * (only_class + neither) + (both + only_cluster) * (only_cluster + neither)
    same = (only_cluster == 0) & (only_class == 0)
    index = 2.0 * (both * neither - only_class * only_cluster) / np.where(span == 0, 1.0, span)
    return np.where(same, 1.0, index)


def _sizes(sizes: Ints, n_clusters: int) -> dict[str, Any]:
    """Shares of the hard clusters (M, K) and the collapse label."""
    share = sizes.max(1) / sizes.sum(1)
    effective = np.exp(_entropy(sizes))
    return {
        "metric.max_share": share,
        "metric.effective_clusters": effective,
        "metric.n_clusters_used": (sizes > 0).sum(1),
        "metric.collapsed": ((effective < n_clusters / 2) | (share > MAX_SHARE)).astype(np.float64),
    }


def _feature_std(features: Tensor) -> Floats:
    """Mean over dimensions of the std of L2-normalised features; 1/sqrt(d) when spread evenly.

    Members in turn: a reduction over dim 1 of (M, N, d) has other bits at M = 1.
    """
    units = [torch.nn.functional.normalize(member, dim=1) for member in features.detach()]
    return np.array([float(unit.std(dim=0, correction=0).mean()) for unit in units])


def _neighbour_pairs(hard: Ints, data: Dataset, n_clusters: int) -> Ints:
    """Tables (M, K, K) of (cluster of a probe, cluster of one of its nearest neighbours in input space)."""
    probes, neighbours = data.probes.numpy(), data.neighbours.numpy()
    own = np.repeat(hard[:, probes], neighbours.shape[1], axis=1)
    return contingency(own, hard[:, neighbours.ravel()], n_clusters, n_clusters)


_DISTANCES: WeakKeyDictionary[Dataset, Tensor] = WeakKeyDictionary()


def _probe_distances(data: Dataset) -> Tensor:
    """Distances between probes as whole numbers to 2**40, (P, P): their sums are exact in any order."""
    if data not in _DISTANCES:
        points = data.eval_vectors[data.probes].double()
        distances = torch.cdist(points, points, compute_mode="use_mm_for_euclid_dist").fill_diagonal_(0.0)
        scale = 2.0**40 / max(float(distances.max()), 1e-300)
        _DISTANCES[data] = (distances * scale).round()
    return _DISTANCES[data]


def _silhouette(hard: Ints, data: Dataset, n_clusters: int) -> Floats:
    """Mean silhouette (Rousseeuw 1987) of the probes in input space; 0 where undefined (one cluster)."""
    own = np.ascontiguousarray(hard[:, data.probes.numpy()])  # the layout decides the order of sums
    members, points = own.shape
    columns = own + np.arange(members)[:, None] * n_clusters
    inside = torch.zeros(points, members * n_clusters, dtype=torch.float64)
    inside.scatter_(1, torch.from_numpy(columns.T), 1.0)
    product = _probe_distances(data) @ inside  # one wide product for all members
    sums = np.ascontiguousarray(product.numpy().reshape(points, members, n_clusters).transpose(1, 0, 2))
    sizes = inside.sum(0).numpy().reshape(members, n_clusters)
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
