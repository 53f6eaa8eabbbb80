"""Spherical (cosine) k-means with k-means++ seeds and restarts, from given random numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from trainables.assignment.kmeans.bounds import best_of
from trainables.assignment.kmeans.points import Points
from trainables.threads import one_thread


@dataclass(frozen=True, kw_only=True)
class KMeans:
    """The best restart of each member.

    Attributes:
        labels: (M, N) int64.
        centres: (M, K, d) unit vectors.
        objective: (M,) float64, the sum of cosines.
        iterations: (M,) int64 of the restart kept.
        restart: (M,) int64, which restart was kept.
    """

    labels: Tensor
    centres: Tensor
    objective: Tensor
    iterations: Tensor
    restart: Tensor


@torch.no_grad()
def spherical_kmeans(points: Tensor, uniforms: Tensor, *, max_iterations: int = 300, tolerance: float = 1e-4) -> KMeans:
    """Maximise sum_i cos(x_i, c_{y_i}); rows are normalised first, so their length does not matter.

    The labelling step of PIPCDR (paper 2311.00731, inferred from ProPos: k-means++, restarts, at most 300
    iterations, tolerance 1e-4 of the mean feature variance). Members and restarts are solved in turn: they then
    agree bit for bit with the same call alone.
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
    if points.ndim != 3 or uniforms.ndim != 3 or len(points) != len(uniforms):
        raise ValueError(
            f"points must be (M, N, d) and uniforms (M, R, K) with one M; "
            f"got {tuple(points.shape)} and {tuple(uniforms.shape)}"
        )
    if 0 in (*points.shape[1:], *uniforms.shape[1:]) or max_iterations < 1:
        raise ValueError(
            f"k-means needs at least one point, dimension, restart, cluster and iteration; "
            f"got points {tuple(points.shape)}, uniforms {tuple(uniforms.shape)}, {max_iterations} iterations"
        )
    with one_thread():
        best = []
        for x, own in zip(points.detach(), uniforms, strict=True):
            best.append(_best(x, own, max_iterations, tolerance))
    stacked = {}
    for field in fields(KMeans):
        stacked[field.name] = torch.stack([getattr(one, field.name) for one in best])
    return KMeans(**stacked)


def _best(x: Tensor, uniforms: Tensor, cap: int, tolerance: float) -> KMeans:
    """Return the best restart of one member, the earliest among equals; its fields have no axis of members."""
    if not bool(x.isfinite().all()):
        nothing = x.new_full((uniforms.shape[1], x.shape[1]), torch.nan)
        labels = torch.zeros(len(x), dtype=torch.long, device=x.device)
        none = torch.tensor(0, device=x.device)
        return KMeans(
            labels=labels, centres=nothing, objective=none.double() * torch.nan, iterations=none, restart=none
        )
    points = Points.of(x, spherical=True)
    units = points.rows.block(slice(None))
    starts = torch.stack([_seeds(units, row) for row in uniforms])
    found = best_of(points, starts, cap, tolerance)
    return KMeans(
        labels=found.labels,
        centres=found.centres,
        objective=(units * found.centres[found.labels]).sum(1).double().sum(),
        iterations=torch.tensor(found.iterations, device=x.device),
        restart=torch.tensor(found.restart, device=x.device),
    )


def _seeds(x: Tensor, uniforms: Tensor) -> Tensor:
    """Return seeds (K, d) by k-means++: each next one is drawn by squared distance to the seeds so far."""
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
