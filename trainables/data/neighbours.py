"""Nearest neighbours of points among each other: those of float64, at the price of float32 (no label is read)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Nearest", "nearest", "nearest_neighbours"]

PROBES_AT_ONCE = 64
BLOCK = 1 << 20
"""Numbers of points that are centred at once: a block stays in the cache."""
AT_ONCE = 1 << 22
"""Numbers of candidates that are looked at in float64 at once."""


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
    blocks = torch.split(points, max(1, BLOCK // points.shape[1]))
    total = points.new_zeros(points.shape[1], dtype=torch.float64)
    for block in blocks:  # in place: small results between large ones that are let go would keep their memory taken
        total += block.sum(0, dtype=torch.float64)
    origin = (total / len(points)).to(points.dtype)  # any origin near the points will do
    squares = points.new_empty(len(points))
    for block, part in zip(blocks, torch.split(squares, [len(block) for block in blocks]), strict=True):
        torch.sum((block - origin).square_(), 1, out=part)
    some = torch.split(probes, PROBES_AT_ONCE)
    return torch.cat([_of_some(points, (origin, squares), blocks, own, k) for own in some])


def _of_some(
    points: Tensor, centred: tuple[Tensor, Tensor], blocks: Sequence[Tensor], probes: Tensor, k: int
) -> Tensor:
    """Return the neighbours of some probes; points are centred a block at a time, since all would be a second copy."""
    origin, squares = centred
    own = points[probes] - origin
    distances = points.new_empty(len(probes), len(points))  # filled in place: parts that are joined are there twice
    for block, part in zip(blocks, torch.split(distances, [len(block) for block in blocks], dim=1), strict=True):
        torch.mm(own, (block - origin).T, out=part)
    distances.mul_(-2.0).add_(squares)
    distances += squares[probes, None]
    distances[torch.arange(len(probes)), probes] = torch.inf
    roundings = (16.0 + points.shape[1] ** 0.5) * torch.finfo(points.dtype).eps
    unsure = roundings * (squares.max() + squares[probes])
    within = distances.topk(k, largest=False).values[:, -1] + 2.0 * unsure
    rows = []
    for probe, apart, most in zip(probes.tolist(), distances, within, strict=True):
        others = (~(apart > most)).nonzero().flatten()  # what is no number, as squares overflow, is in question too
        others = others[others != probe]
        rows.append(others[_squared(points, probe, others).sort(stable=True).indices[:k]])
    return torch.stack(rows)


def _squared(points: Tensor, place: int, others: Tensor) -> Tensor:
    """Return the squared distances of one point to some others, in float64."""
    own = points[place].double()
    n_blocks = -(-len(others) * points.shape[1] // AT_ONCE)  # more than one where most points are candidates
    blocks = others.tensor_split(max(1, n_blocks))
    return torch.cat([(points[some].double() - own).square_().sum(1) for some in blocks])
