"""Nearest neighbours of points among each other: those of float64, at the price of float32 (no label is read)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Nearest", "nearest", "nearest_neighbours"]

PROBES_AT_ONCE = 64
AT_ONCE = 1 << 22
"""Numbers of points that are centred at once: a few thousand points."""
MORE = 22
"""Candidates beyond the neighbours asked for, at first."""


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """Who is near whom, the nearest first, and how far away."""

    indices: Tensor
    """(N, k) int64."""
    distances: Tensor
    """(N, k)."""


@torch.no_grad()
def nearest(points: Tensor, k: int) -> Nearest:
    """Return the k nearest others of each of the points (N, d) by Euclidean distance; fewer where there are fewer.

    A point's neighbours do not depend on who asks. One point alone is its own neighbour, at distance 0.
    """
    if len(points) == 1:
        return Nearest(indices=torch.zeros(1, 1, dtype=torch.int64), distances=points.new_zeros(1, 1))
    found = nearest_neighbours(points, torch.arange(len(points)), min(k, len(points) - 1))
    apart = [_squared(points, place, others).sqrt().to(points.dtype) for place, others in enumerate(found)]
    return Nearest(indices=found, distances=torch.stack(apart))


@torch.no_grad()
def nearest_neighbours(points: Tensor, probes: Tensor, k: int) -> Tensor:
    """Return the k nearest other points of each probe by Euclidean distance, nearest first; (P, k) int64.

    A float32 product of centred points names candidates, all those that its rounding leaves in question; their
    distances are computed in float64 from the points as they are. Of equally distant points the lower index comes
    first, so the result is that of sorting every distance in float64.

    Args:
        points: (N, d) floating, finite, N > k.
        probes: (P,) indices into `points`.
        k: from 1.
    """
    blocks = torch.split(points, max(1, AT_ONCE // points.shape[1]))
    sums = [block.sum(0, dtype=torch.float64) for block in blocks]
    origin = (torch.stack(sums).sum(0) / len(points)).to(points.dtype)  # any origin near the points will do
    squares = torch.cat([(block - origin).square().sum(1) for block in blocks])
    some = torch.split(probes, PROBES_AT_ONCE)
    return torch.cat([_of_some(points, (origin, squares), blocks, own, k) for own in some])


def _of_some(
    points: Tensor, centred: tuple[Tensor, Tensor], blocks: Sequence[Tensor], probes: Tensor, k: int
) -> Tensor:
    """Return the neighbours of some probes; points are centred a block at a time, since all would be a second copy."""
    origin, squares = centred
    own = points[probes] - origin
    distances = torch.cat([own @ (block - origin).T for block in blocks], dim=1).mul_(-2.0)
    distances += squares
    distances += squares[probes, None]
    distances[torch.arange(len(probes)), probes] = torch.inf
    roundings = (16.0 + points.shape[1] ** 0.5) * torch.finfo(points.dtype).eps
    unsure = roundings * (squares.max() + squares[probes])
    n_candidates = k + MORE
    while True:
        n_candidates = min(n_candidates, len(points) - 1)
        near = distances.topk(n_candidates, largest=False)
        clear = near.values[:, -1] > near.values[:, k - 1] + 2.0 * unsure
        if n_candidates == len(points) - 1 or bool(clear.all()):
            return _sorted(points, probes, near.indices.sort(1).values, k)
        n_candidates *= 2


def _sorted(points: Tensor, probes: Tensor, candidates: Tensor, k: int) -> Tensor:
    """Return the first k candidates (P, C), which come in ascending order, by their distances in float64."""
    rows = []
    for probe, others in zip(probes.tolist(), candidates, strict=True):
        rows.append(others[_squared(points, probe, others).sort(stable=True).indices[:k]])
    return torch.stack(rows)


def _squared(points: Tensor, place: int, others: Tensor) -> Tensor:
    """Return the squared distances of one point to some others, in float64."""
    return (points[others].double() - points[place].double()).square().sum(1)
