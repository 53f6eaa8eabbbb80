"""K-means with k-means++ seeds and restarts, spherical (cosine) or Euclidean, from given random numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class KMeans:
    """The best restart of each member.

    Attributes:
        labels: (M, N) int64.
        centres: (M, K, d): unit vectors (spherical) or means (Euclidean).
        objective: (M,) float64: sum of cosines (spherical, larger is better) or inertia (Euclidean, smaller).
        iterations: (M,) int64 of the restart kept.
        restart: (M,) int64, which restart was kept.
    """

    labels: Tensor
    centres: Tensor
    objective: Tensor
    iterations: Tensor
    restart: Tensor


def spherical_kmeans(points: Tensor, uniforms: Tensor, *, max_iterations: int = 300, tolerance: float = 1e-4) -> KMeans:
    """Maximise sum_i cos(x_i, c_{y_i}); rows are normalised first, so their length does not matter.

    The labelling step of PIPCDR (paper 2311.00731, inferred from ProPos: k-means++, restarts, at most 300
    iterations, tolerance 1e-4 of the mean feature variance). Members and restarts are solved in turn: they then
    agree bit for bit with the same call alone, and on a CPU batching them gained nothing when it was measured.
    An empty cluster is reseeded at the point farthest from its own centre. A zero row has cosine 0 with every
    centre. With K > N the clusters beyond N stay empty, with their seed as centre.

    Args:
        points: (M, N, d) floating, N >= 1.
        uniforms: (M, R, K) in [0, 1): the numbers that pick the seeds of R >= 1 restarts of K clusters, from
            each member's own stream. A member's first restarts do not depend on how many follow.
        max_iterations: cap on Lloyd steps.
        tolerance: squared movement of all centres, over the mean feature variance, at which a restart stops.

    Returns:
        KMeans. A member with NaN or inf gets labels 0, NaN centres and objective and 0 iterations.

    Raises:
        ValueError: A shape does not fit, or there is no point, restart or cluster.
    """
    return _members(points, uniforms, True, max_iterations, tolerance)


def kmeans(points: Tensor, uniforms: Tensor, *, max_iterations: int = 300, tolerance: float = 1e-4) -> KMeans:
    """Minimise sum_i |x_i - c_{y_i}|^2 by Lloyd's algorithm; everything else as in spherical_kmeans."""
    return _members(points, uniforms, False, max_iterations, tolerance)


@torch.no_grad()
def _members(points: Tensor, uniforms: Tensor, spherical: bool, cap: int, tolerance: float) -> KMeans:
    if points.ndim != 3 or uniforms.ndim != 3 or len(points) != len(uniforms):
        raise ValueError(
            f"points must be (M, N, d) and uniforms (M, R, K) with one M; "
            f"got {tuple(points.shape)} and {tuple(uniforms.shape)}"
        )
    if 0 in (*points.shape[1:], *uniforms.shape[1:]) or cap < 1:
        raise ValueError(
            f"k-means needs at least one point, dimension, restart, cluster and iteration; "
            f"got points {tuple(points.shape)}, uniforms {tuple(uniforms.shape)}, {cap} iterations"
        )
    best = [_best(x, u, spherical, cap, tolerance) for x, u in zip(points.detach(), uniforms, strict=True)]
    return KMeans(
        labels=torch.stack([b.labels for b in best]),
        centres=torch.stack([b.centres for b in best]),
        objective=torch.tensor([b.objective for b in best], dtype=torch.float64, device=points.device),
        iterations=torch.tensor([b.iterations for b in best], device=points.device),
        restart=torch.tensor([b.restart for b in best], device=points.device),
    )


@dataclass(frozen=True, kw_only=True)
class _Restart:
    labels: Tensor
    centres: Tensor
    objective: float
    iterations: int
    restart: int


def _best(x: Tensor, uniforms: Tensor, spherical: bool, cap: int, tolerance: float) -> _Restart:
    """The best restart of one member; the earliest among equals."""
    clusters = uniforms.shape[1]
    if not bool(x.isfinite().all()):
        nothing = x.new_full((clusters, x.shape[1]), torch.nan)
        labels = torch.zeros(len(x), dtype=torch.long, device=x.device)
        return _Restart(labels=labels, centres=nothing, objective=float("nan"), iterations=0, restart=0)
    if spherical:
        x = _unit(x)
    shift = tolerance * float(x.var(0, correction=0).mean())
    found = [_lloyd(x, _seeds(x, row), r, spherical, cap, shift) for r, row in enumerate(uniforms)]
    return max(found, key=lambda one: one.objective if spherical else -one.objective)


def _unit(rows: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return rows / lengths.clamp_min(torch.finfo(rows.dtype).tiny)


def _seeds(x: Tensor, uniforms: Tensor) -> Tensor:
    """K-means++: each next seed is drawn by squared distance to the seeds so far; (K, d)."""
    points = len(x)
    picks = [min(int(float(uniforms[0]) * points), points - 1)]
    nearest = (x - x[picks[0]]).square().sum(1).double()
    for uniform in uniforms[1:].tolist():
        mass = nearest.cumsum(0)
        total = float(mass[-1])
        # all points sit on seeds already (K > distinct points): any will do
        pick = int(torch.searchsorted(mass, uniform * total, right=True)) if total > 0 else int(uniform * points)
        picks.append(min(pick, points - 1))
        nearest = torch.minimum(nearest, (x - x[picks[-1]]).square().sum(1).double())
    return x[picks]


def _lloyd(x: Tensor, centres: Tensor, restart: int, spherical: bool, cap: int, shift: float) -> _Restart:
    labels = torch.full((len(x),), -1, dtype=torch.long, device=x.device)
    iteration, settled = 0, False
    while iteration < cap and not settled:
        iteration += 1
        previous, (labels, nearness) = labels, _assign(x, centres, spherical)
        labels = _reseed(labels, nearness, len(centres))
        moved = _update(x, labels, centres, spherical)
        movement = float((moved - centres).square().sum())
        centres = moved
        settled = bool((labels == previous).all()) or movement <= shift
    labels, _ = _assign(x, centres, spherical)
    own = centres[labels]
    value = (x * own).sum(1) if spherical else (x - own).square().sum(1)
    return _Restart(
        labels=labels, centres=centres, objective=float(value.double().sum()), iterations=iteration, restart=restart
    )


def _assign(x: Tensor, centres: Tensor, spherical: bool) -> tuple[Tensor, Tensor]:
    """Nearest centre of each point and how near it is: cosine, or minus the squared distance; lowest index in ties."""
    product = x @ centres.T
    if spherical:
        nearness, labels = product.max(1)
        return labels, nearness
    nearness, labels = (2 * product - centres.square().sum(1)).max(1)
    return labels, nearness - x.square().sum(1)


def _reseed(labels: Tensor, nearness: Tensor, clusters: int) -> Tensor:
    """Give each empty cluster the point farthest from its own centre, of clusters that keep another one."""
    counts = torch.bincount(labels, minlength=clusters)
    empty = (counts == 0).nonzero()[:, 0].tolist()
    if not empty:
        return labels
    labels = labels.clone()
    for row in nearness.argsort(stable=True).tolist():
        if counts[labels[row]] > 1:
            counts[labels[row]] -= 1
            labels[row] = empty.pop(0)
            counts[labels[row]] += 1
            if not empty:
                break
    return labels


def _update(x: Tensor, labels: Tensor, centres: Tensor, spherical: bool) -> Tensor:
    """Means, normalised for the sphere; a cluster without points, or whose points cancel, keeps its centre."""
    member = torch.nn.functional.one_hot(labels, len(centres)).to(x.dtype)
    sums = member.T @ x
    if spherical:
        return torch.where(torch.linalg.vector_norm(sums, dim=1, keepdim=True) > 1e-12, _unit(sums), centres)
    counts = member.sum(0)[:, None]
    return torch.where(counts > 0, sums / counts.clamp_min(1.0), centres)
