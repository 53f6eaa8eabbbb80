"""Points made ready for many k-means runs: centred, with their norms and their part along a few leading directions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.assignment.kmeans.rows import Rows, block_by_block, centred, of_length_one

__all__ = ["CHUNK", "ROUNDINGS", "Points", "Projection", "nearest"]

CHUNK = 4_096
"""Points of one block of a product over all points: the block stays in a core's cache while it is used."""

AT_ONCE = 1 << 26
"""Numbers about few points (bounds, distances) that may be held for several restarts together."""

SHARE = 8
"""Of the numbers of many points, the part of which as many numbers about them may be held."""

ROUNDINGS = 16.0
"""Units of rounding, of the squared norms, that a product may be off by where it stands for a squared distance."""

SAMPLE = 4_096
"""Points from which the leading directions are taken; any basis is right, a better one leaves less to look at."""

DIRECTIONS, FEWEST_DIMENSIONS = 64, 192
"""Leading directions, and from how many dimensions on looking at them first pays."""

LEAST_ENERGY = 0.7
"""Share of the squared norms that the directions must hold, or nearly every point has to be looked at in full."""

OFF_CENTRE = 1e-3
"""Squared norm of the mean, over the mean squared norm, above which points are centred."""


@dataclass(frozen=True)
class Projection:
    """Each point's coordinates along orthonormal directions, and the length of what they leave out."""

    directions: Tensor
    """(d, p) orthonormal."""
    near: Tensor
    """(N, p) coordinates."""
    rest: Tensor
    """(N,) length of the part outside; never too small by rounding."""


@dataclass(frozen=True)
class Points:
    """Points (N, d), floating, and what every run over them needs."""

    rows: Rows
    """(N, d) centred (Euclidean), or unit vectors (spherical; a zero vector stays)."""
    squares: Tensor
    """(N,) squared norms."""
    mean: Tensor
    """(d,) what was subtracted."""
    spherical: bool
    projection: Projection | None
    variance: float
    """Mean over dimensions of the variance: the scale of the stopping rule, as in scikit-learn."""
    largest: float
    """Largest squared norm."""

    @classmethod
    def of(cls, vectors: Tensor, spherical: bool = False) -> Points:
        """Make points ready.

        Centring changes no distance, and keeps the digits of data far from the origin; data that are centred
        already are left as they are. Points of the sphere stay where they are.

        Args:
            vectors: (N, d) floating, finite, N >= 1.
            spherical: whether only directions count.
        """
        points = vectors.detach()
        mean = points.new_zeros(points.shape[1])
        if spherical:
            rows = of_length_one(points)
        else:
            rows = Rows(points.contiguous())
            offset = _sum(rows) / len(points)
            if float(offset.square().sum()) > OFF_CENTRE * float(rows.each(_squares).mean()):
                mean = offset.to(points.dtype)
                rows = centred(points, mean)
        squares = rows.each(_squares)
        return cls(rows, squares, mean, spherical, _projection(rows), _variance(rows), float(squares.max()))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def at_once(self) -> int:
        """How many numbers about points may be held for several restarts together."""
        return AT_ONCE if self.rows.are_few else self.rows.held.numel() // SHARE

    def slack(self, squares: Tensor) -> Tensor:
        """Return by how much rounding may move the squared distances of points with these squared norms."""
        return ROUNDINGS * torch.finfo(self.squares.dtype).eps * (self.largest + squares)


def _squares(rows: Tensor, _: slice) -> Tensor:
    return rows.square().sum(1)


def _sum(rows: Rows) -> Tensor:
    """Return the sum (d,) over points, in float64."""
    total = rows.new_empty(rows.held.shape[1], dtype=torch.float64).zero_()
    for part in block_by_block(rows):
        total += rows.block(part).sum(0, dtype=torch.float64)
    return total


def _variance(rows: Rows) -> float:
    """Return the mean over dimensions of the variance."""
    parts = block_by_block(rows)
    if len(parts) == 1:
        return float(rows.block(parts[0]).var(0, correction=0).mean())
    mean, squares = _sum(rows) / len(rows), rows.new_empty(rows.held.shape[1], dtype=torch.float64).zero_()
    for part in parts:
        squares += (rows.block(part) - mean).square_().sum(0)
    return float((squares / len(rows)).mean())


def _projection(rows: Rows) -> Projection | None:
    """Return the part of the points along their leading directions; None where it would tell too little."""
    n_points, n_dimensions = rows.held.shape
    if n_dimensions < FEWEST_DIMENSIONS or n_points < SAMPLE:
        return None
    sample = rows.block(slice(None, None, n_points // SAMPLE))
    values, vectors = torch.linalg.eigh(sample.T @ sample)
    if float(values[-DIRECTIONS:].sum()) < LEAST_ENERGY * float(values.sum()):
        return None
    directions = vectors[:, -DIRECTIONS:].contiguous()
    near, rest = rows.new_empty(n_points, DIRECTIONS), rows.new_empty(n_points)
    for start in range(0, n_points, CHUNK):
        part = slice(start, start + CHUNK)
        block = rows.block(part)
        torch.mm(block, directions, out=near[part])
        rest[part] = torch.linalg.vector_norm(block - near[part] @ directions.T, dim=1)
    return Projection(directions, near, rest * (1.0 + 1e-5))


def nearest(vectors: Tensor, centres: Tensor) -> Tensor:
    """Return the index of each point's nearest centre, (N,) int64, the lowest of equal ones.

    Of unit centres that is the one with the largest cosine, however long a point is.

    Args:
        vectors: (N, d).
        centres: (K, d).
    """
    origin = centres.mean(0)  # distances do not change, and digits are not lost far from the origin
    near = centres - origin
    squares = near.square().sum(1)[:, None]
    found = []
    for start in range(0, len(vectors), CHUNK):
        block = vectors[start : start + CHUNK] - origin
        found.append(torch.addmm(squares, near, block.T, alpha=-2.0).min(0).indices)
    return torch.cat(found)
