"""Points made ready for many k-means runs: centred, with their norms and their part along a few leading directions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["AT_ONCE", "CHUNK", "ROUNDINGS", "Points", "Projection", "nearest"]

CHUNK = 4_096
"""Points of one block of a product over all points: the block stays in a core's cache while it is used."""

AT_ONCE = 1 << 26
"""Numbers about points (bounds, distances) that may be held for several restarts together."""

ROUNDINGS = 16.0
"""Units of rounding, of the squared norms, that a product may be off by where it stands for a squared distance."""

SAMPLE = 4_096
"""Points from which the leading directions are taken; any basis is right, a better one leaves less to look at."""

DIRECTIONS, FEWEST_DIMENSIONS = 64, 192
"""Leading directions, and from how many dimensions on looking at them first pays."""

LEAST_ENERGY = 0.7
"""Share of the squared norms that the directions must hold, or nearly every point has to be looked at in full."""

OFF_CENTRE = 1e-3
"""Squared norm of the mean, over the mean squared norm, above which points are copied and centred."""


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

    rows: Tensor
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
        already are not copied. Points of the sphere stay where they are.

        Args:
            vectors: (N, d) floating, finite, N >= 1.
            spherical: whether only directions count.
        """
        rows = vectors.detach()
        mean = rows.new_zeros(rows.shape[1])
        if spherical:
            lengths = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
            rows = rows / lengths.clamp_min(torch.finfo(rows.dtype).tiny)
        else:
            offset = rows.mean(0, dtype=torch.float64)
            if float(offset.square().sum()) > OFF_CENTRE * float(rows.square().sum(1).mean()):
                mean = offset.to(rows.dtype)
                rows = rows - mean
        rows = rows.contiguous()
        squares = rows.square().sum(1)
        variance, largest = float(rows.var(0, correction=0).mean()), float(squares.max())
        return cls(rows, squares, mean, spherical, _projection(rows), variance, largest)

    def __len__(self) -> int:
        return len(self.rows)

    def slack(self, squares: Tensor) -> Tensor:
        """Return by how much rounding may move the squared distances of points with these squared norms."""
        return ROUNDINGS * torch.finfo(self.rows.dtype).eps * (self.largest + squares)


def _projection(rows: Tensor) -> Projection | None:
    """Return the part of the points along their leading directions; None where it would tell too little."""
    if rows.shape[1] < FEWEST_DIMENSIONS or len(rows) < SAMPLE:
        return None
    sample = rows[:: len(rows) // SAMPLE]
    values, vectors = torch.linalg.eigh(sample.T @ sample)
    if float(values[-DIRECTIONS:].sum()) < LEAST_ENERGY * float(values.sum()):
        return None
    directions = vectors[:, -DIRECTIONS:].contiguous()
    near, rest = rows.new_empty(len(rows), DIRECTIONS), rows.new_empty(len(rows))
    for start in range(0, len(rows), CHUNK):
        block = rows[start : start + CHUNK]
        torch.mm(block, directions, out=near[start : start + CHUNK])
        outside = block - near[start : start + CHUNK] @ directions.T
        rest[start : start + CHUNK] = torch.linalg.vector_norm(outside, dim=1)
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
