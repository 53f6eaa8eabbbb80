"""Nearest neighbours of all points among each other, chunk by chunk (nothing is drawn, no label is read)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Nearest", "nearest"]

ENTRIES = 2**24
"""Distances held at once: 64 MB."""


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

    Chunks have a fixed number of rows, so a point's neighbours do not depend on who asks. One point alone is its own
    neighbour, at distance 0.
    """
    n = len(points)
    if n == 1:
        return Nearest(indices=torch.zeros(1, 1, dtype=torch.int64), distances=torch.zeros(1, 1))
    indices, distances, rows = [], [], max(1, ENTRIES // n)
    for start in range(0, n, rows):
        apart = torch.cdist(points[start : start + rows], points)
        own = torch.arange(len(apart))
        apart[own, start + own] = torch.inf
        found = apart.topk(min(k, n - 1), largest=False)
        indices.append(found.indices)
        distances.append(found.values)
    return Nearest(indices=torch.cat(indices), distances=torch.cat(distances))
