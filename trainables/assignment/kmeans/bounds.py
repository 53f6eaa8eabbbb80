"""Lloyd's algorithm that looks only at points whose label may change: the same labels as looking at all of them.

Each point keeps a bound on the distance to its own centre from above and on those to the other centres from below;
centres move, and the bounds by as much (Elkan 2003). Where they cross, the point is looked at along a few leading
directions first: what these leave out of a product x c is at most the product of the lengths left out, and means of
many points have little there (a partial distance with a Cauchy-Schwarz rest; own). Only points that are still undecided
are multiplied in full. Sums of clusters change by the points that changed their cluster.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainables.assignment.kmeans.points import CHUNK, ROUNDINGS, Points, Projection

__all__ = ["Fitted", "Run", "best_of"]


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """One run of k-means."""

    labels: Tensor
    """(N,) int64."""
    centres: Tensor
    """(K, d) in the coordinates that the points came in."""
    inertia: float
    """Sum of the squared distances to the own centre."""
    iterations: int
    restart: int = 0
    """Which of the starts it came from."""


def best_of(points: Points, starts: Tensor, max_iterations: int = 300, tolerance: float = 1e-4) -> Fitted:
    """Return the run with the least inertia, the earliest of equal ones.

    Stops as scikit-learn does: no label has changed, or the squared movements of all centres add up to no more than
    `tolerance` times the mean variance of the points. A cluster that lost its points gets the point farthest from its
    own centre.

    Args:
        points: what to cluster.
        starts: (R, K, d) first centres of R >= 1 restarts, in the coordinates that the points came in.
        max_iterations: of each restart.
        tolerance: see above; 0 goes on until no label changes.
    """
    found: Fitted | None = None
    restarts = max(1, points.at_once // (len(points) * starts.shape[1]))
    for first in range(0, len(starts), restarts):
        for place, run in enumerate(_first_labels(points, starts[first : first + restarts] - points.mean)):
            fitted = run.go_on(max_iterations, tolerance * points.variance)
            if found is None or fitted.inertia < found.inertia:
                found = replace(fitted, restart=first + place)
    assert found is not None, "k-means without a restart"
    return found


def _first_labels(points: Points, starts: Tensor) -> list[Run]:
    """Label all points by the first centres of several restarts in one product, and sum them up in another."""
    runs = [Run(points, centres.contiguous()) for centres in starts]
    n_clusters, together = starts.shape[1], starts.flatten(0, 1)
    squares = together.square().sum(1)
    for start in range(0, len(points), CHUNK):
        part = slice(start, min(start + CHUNK, len(points)))
        rows = points.rows.block(part)
        distances = torch.addmm(squares[:, None], together, rows.T, alpha=-2.0) + points.squares[part]
        inside = torch.zeros_like(distances)
        for place, run in enumerate(runs):
            own = slice(place * n_clusters, (place + 1) * n_clusters)
            run.take(part, distances[own])
            inside[own].scatter_(0, run.labels[None, part], 1.0)
        sums = inside @ rows
        for place, run in enumerate(runs):
            run.sums += sums[place * n_clusters : (place + 1) * n_clusters]
    for run in runs:
        run.counts = torch.bincount(run.labels, minlength=n_clusters).double()
    return runs


class Run:
    """One restart under way."""

    def __init__(self, points: Points, centres: Tensor) -> None:
        self.points, self.centres = points, centres
        self.labels = torch.zeros(len(points), dtype=torch.int64, device=centres.device)
        self.upper = points.rows.new_empty(len(points))
        """(N,) at least the distance to the own centre."""
        self.lower = points.rows.new_empty(len(centres), len(points))
        """(K, N) at most the distance to each other centre; infinite at the own one, which is never asked for."""
        self.sums = torch.zeros_like(centres, dtype=torch.float64)
        self.counts = self.sums.new_zeros(len(centres))

    def take(self, part: slice, distances: Tensor) -> None:
        """Label a block of points by its squared distances (K, n) to all centres."""
        nearest, labels = distances.min(0)
        slack = self.points.slack(self.points.squares[part])
        self.labels[part] = labels
        self.upper[part] = (nearest.clamp_min(0.0) + slack).sqrt()
        below = (distances - slack).clamp_min_(0.0).sqrt_()
        self.lower[:, part] = below.scatter_(0, labels[None], torch.inf)

    def go_on(self, max_iterations: int, shift: float) -> Fitted:
        """Iterate from the first labels on."""
        moved = self._move()
        iteration, same = 1, False
        while iteration < max_iterations and moved > shift:
            iteration += 1
            if not self._relabel():
                same = True
                break
            moved = self._move()
        if not same:
            self._relabel()
        return Fitted(
            labels=self.labels,
            centres=self.centres + self.points.mean,
            inertia=self._inertia(),
            iterations=iteration,
        )

    def _move(self) -> float:
        """Move the centres to their points, and the bounds with them; return the squared movements' sum."""
        means = self._means().to(self.centres.dtype)
        steps = torch.linalg.vector_norm((means - self.centres).double(), dim=1)
        self.centres = means
        rounding = ROUNDINGS * torch.finfo(means.dtype).eps
        outward = (steps * (1.0 + rounding) + rounding * self.points.largest**0.5).to(means.dtype)
        self.upper += outward[self.labels]
        self.lower -= outward[:, None]
        return float(steps.square().sum())

    def _means(self) -> Tensor:
        if bool((self.counts == 0).any()):
            self._fill_empty()
        if not self.points.spherical:
            return torch.where(self.counts[:, None] > 0, self.sums / self.counts[:, None].clamp_min(1.0), self.centres)
        lengths = torch.linalg.vector_norm(self.sums, dim=1, keepdim=True)
        return torch.where(lengths > 1e-12, self.sums / lengths.clamp_min(1e-300), self.centres)

    def _fill_empty(self) -> None:
        """Give each empty cluster the point farthest from its own centre, of clusters that keep another one."""
        own = self.points.rows.each(lambda rows, part: (rows - self.centres[self.labels[part]]).square().sum(1))
        empty = (self.counts == 0).nonzero().flatten().tolist()
        for place in own.argsort(descending=True, stable=True).tolist():
            if not empty or not float(own[place]) > 0.0:  # duplicates: no point to be had
                break
            if self.counts[self.labels[place]] > 1:
                self._change(*self.labels.new_tensor([[place], [empty.pop(0)]]))
                self.upper[place] = torch.inf  # whatever the centre will be: it is looked at next time

    def _change(self, places: Tensor, labels: Tensor) -> None:
        """Take points out of their clusters and into others."""
        old = self.labels[places]
        signs = self.points.rows.new_empty(len(self.centres), len(places)).zero_()
        signs.scatter_(0, labels[None], 1.0)
        signs.scatter_add_(0, old[None], torch.full_like(signs[:1], -1.0))
        self.sums += signs @ self.points.rows.at(places)
        self.counts += signs.double().sum(1)
        self.labels[places] = labels

    def _relabel(self) -> bool:
        """Look at the points whose label may change, and say whether any has changed."""
        places = (self.upper >= self.lower.amin(0)).nonzero().flatten()
        if not len(places):
            return False
        changed = [self._relabelled(some) for some in torch.split(places, self.points.rows.at_once)]
        return any(changed)

    def _relabelled(self, places: Tensor) -> bool:
        """Look at some points, and say whether a label has changed."""
        labels, upper, lower = self._looked_at(places)
        self.upper.index_copy_(0, places, upper)
        self.lower.index_copy_(1, places, lower)
        changed = (labels != self.labels.index_select(0, places)).nonzero().flatten()
        if not len(changed):
            return False
        self._change(places[changed], labels[changed])
        return True

    def _looked_at(self, places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return labels (n,) and bounds (n,), (K, n) of some points."""
        if self.points.projection is None:
            return self._bounds(self.in_full(places), 0.0, places)
        labels, upper, lower = self._coarse(places, self.points.projection)
        unclear = (upper >= lower.amin(0)).nonzero().flatten()
        if len(unclear):
            inner = places[unclear]
            exact = self._bounds(self.in_full(inner), 0.0, inner)
            labels[unclear], upper[unclear] = exact[:2]
            lower.index_copy_(1, unclear, exact[2])
        return labels, upper, lower

    def in_full(self, places: Tensor) -> Tensor:
        """Return the squared distances (K, n) of some points to all centres."""
        rows = self.points.rows.at(places)
        products = torch.addmm(self.centres.square().sum(1)[:, None], self.centres, rows.T, alpha=-2.0)
        return products.add_(self.points.squares.index_select(0, places))

    def _coarse(self, places: Tensor, projection: Projection) -> tuple[Tensor, Tensor, Tensor]:
        near = self.centres @ projection.directions
        squares = self.centres.square().sum(1)
        rest = torch.linalg.vector_norm(self.centres - near @ projection.directions.T, dim=1) * (1.0 + 1e-5)
        rows = projection.near.index_select(0, places)
        distances = torch.addmm(squares[:, None], near, rows.T, alpha=-2.0)
        distances += self.points.squares.index_select(0, places)
        unseen = 2.0 * rest[:, None] * projection.rest.index_select(0, places)
        return self._bounds(distances, unseen, places)

    def _bounds(self, distances: Tensor, unseen: Tensor | float, places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return labels and bounds from squared distances that are right to `unseen`."""
        slack = self.points.slack(self.points.squares.index_select(0, places))
        nearest, labels = (distances + unseen).min(0)
        upper = (nearest.clamp_min(0.0) + slack).sqrt()
        lower = (distances - unseen - slack).clamp_min_(0.0).sqrt_()
        return labels, upper, lower.scatter_(0, labels[None], torch.inf)

    def _inertia(self) -> float:
        """Return the sum of |x|^2 - 2 c . sum(x) + n |c|^2 over the clusters, in float64."""
        centres = self.centres.double()
        within = (self.counts * centres.square().sum(1)).sum() - 2.0 * (centres * self.sums).sum()
        return max(float(self.points.squares.double().sum() + within), 0.0)
