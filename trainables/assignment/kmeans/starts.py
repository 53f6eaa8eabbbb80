"""Where k-means starts: greedy k-means++ for many restarts in one product a round, or points drawn at random."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from trainables.assignment.kmeans.points import CHUNK, Points

__all__ = ["STARTS", "n_candidates", "plus_plus", "starts_of"]

STARTS = ("k-means++", "random")


def starts_of(kind: str, points: Points, n_clusters: int, n_restarts: int, generator: torch.Generator) -> Tensor:
    """Return first centres (R, K, d), in the coordinates that the points came in.

    A restart's numbers are drawn before those of the next: the first ones do not depend on how many follow.

    Args:
        kind: one of STARTS.
        points: what is clustered, N points.
        n_clusters: K <= N.
        n_restarts: R >= 1.
        generator: on the CPU.
    """
    if kind == "random":
        order = [torch.randperm(len(points), generator=generator)[:n_clusters] for _ in range(n_restarts)]
        return points.rows.at(torch.stack(order).to(points.squares.device)) + points.mean
    shape = (n_clusters, n_candidates(n_clusters))
    drawn = [torch.rand(shape, generator=generator, dtype=torch.float64) for _ in range(n_restarts)]
    return plus_plus(points, torch.stack(drawn).to(points.squares.device))


def n_candidates(n_clusters: int) -> int:
    """Return how many points are tried for each further centre: 2 + ln K, as in scikit-learn."""
    return 2 + int(math.log(n_clusters))


def plus_plus(points: Points, uniforms: Tensor) -> Tensor:
    """Return centres (R, K, d) by greedy k-means++ (Arthur and Vassilvitskii 2007, section 5).

    Each further centre is the one of L points, drawn by their squared distances to the centres so far, that leaves the
    least sum of such distances. Points that sit on a centre have none left; once all do, any point will serve.

    Args:
        points: N points.
        uniforms: (R, K, L) in [0, 1), float64: what the draws of R restarts take.
    """
    restarts = max(1, points.at_once // (len(points) * uniforms.shape[2]))
    picks = torch.cat([_picks(points, group) for group in torch.split(uniforms, restarts)])
    return points.rows.at(picks) + points.mean


def _picks(points: Points, uniforms: Tensor) -> Tensor:
    n_points, (restarts, n_clusters, _) = len(points), uniforms.shape
    first = (uniforms[:, 0, 0] * n_points).long().clamp_max(n_points - 1)
    nearest = points.squares.new_full((restarts, n_points), torch.inf, dtype=torch.float64)
    left, _ = _distances_left(points, first[:, None], nearest)
    nearest, picks = left[:, 0].double(), [first]
    each = torch.arange(restarts, device=points.squares.device)
    for place in range(1, n_clusters):
        candidates = _drawn(nearest, uniforms[:, place])
        left, totals = _distances_left(points, candidates, nearest)
        best = totals.argmin(1)
        nearest = left[each, best].double()
        picks.append(candidates[each, best])
    return torch.stack(picks, dim=1)


def _drawn(nearest: Tensor, uniforms: Tensor) -> Tensor:
    """Draw points (R, L) by their squared distances (R, N)."""
    mass = nearest.cumsum(1)
    total = mass[:, -1:]
    by_distance = torch.searchsorted(mass, uniforms * total, right=True)
    anywhere = (uniforms * mass.shape[1]).long()
    return torch.where(total > 0, by_distance, anywhere).clamp_max(mass.shape[1] - 1)


def _distances_left(points: Points, candidates: Tensor, nearest: Tensor) -> tuple[Tensor, Tensor]:
    """Return the squared distances (R, L, N) that each candidate would leave, and their sums (R, L), float64."""
    restarts, tried = candidates.shape
    centres = points.rows.at(candidates.flatten())
    squares = points.squares[candidates.flatten()]
    rounding = points.slack(squares)[:, None]
    left = points.rows.new_empty(restarts, tried, len(points))
    totals = left.new_zeros(restarts, tried, dtype=torch.float64)
    for start in range(0, len(points), CHUNK):
        part = slice(start, min(start + CHUNK, len(points)))
        distances = torch.addmm(squares[:, None], centres, points.rows.block(part).T, alpha=-2.0) + points.squares[part]
        distances.masked_fill_(distances <= rounding, 0.0)
        block = distances.view(restarts, tried, -1)
        torch.minimum(block, nearest[:, None, part].to(block.dtype), out=block)
        left[:, :, part] = block
        totals += block.sum(2, dtype=torch.float64)
    return left, totals
