"""What a metric is given: the partitions of a bundle's members, with the tables that several metrics share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trainables.partitions.tables import Floats, Ints, contingency, mutual_information

if TYPE_CHECKING:  # torch takes a second to import, and whoever asks only what metrics there are does without
    from torch import Tensor

    from trainables.data.dataset import Dataset

__all__ = ["Scored"]


@dataclass(frozen=True, eq=False)
class Scored:
    """Partitions of the same N points by M members; tables are counted once, by the first metric that asks."""

    hard: Ints
    """(M, N) cluster of each point, 0 <= cluster < n_clusters."""
    labels: Ints
    """(N,) class of each point. Only a metric that declares `reads_labels` may use it, or `table`; it gets points with
    a known class only. Others may meet -1: nobody knows the class."""
    n_clusters: int
    """K, the number of clusters that the method may use; need not be the number of classes."""
    n_classes: int
    data: Dataset | None = None
    """What was clustered; None where only labels are known."""
    features: Tensor | None = None
    """(M, P, d) features that a method learned; None for methods without."""

    @cached_property
    def known(self) -> Scored | None:
        """The same of the points whose class is known; None: of none it is. Reads labels."""
        there = self.labels >= 0
        if there.all():
            return self
        return replace(self, hard=self.hard[:, there], labels=self.labels[there], data=None) if there.any() else None

    @cached_property
    def table(self) -> Ints:
        """(M, K, classes) counts of points by cluster and class. Reads labels."""
        return contingency(self.hard, self.labels, self.n_clusters, self.n_classes)

    @cached_property
    def information(self) -> Floats:
        """(M,) mutual information of clusters and classes in nats. Reads labels."""
        return mutual_information(self.table)

    @cached_property
    def sizes(self) -> Ints:
        """(M, K) points of each cluster: whatever the labels are, their table adds up to it."""
        if self.known is not self:
            return contingency(self.hard, np.zeros_like(self.labels), self.n_clusters, 1)[:, :, 0]
        sizes: Ints = self.table.sum(2)
        return sizes

    @cached_property
    def neighbour_pairs(self) -> Ints:
        """(M, K, K) counts of (cluster of a probe, cluster of one of its nearest neighbours in input space)."""
        assert self.data is not None, "neighbours of labels alone"
        probes, neighbours = self.data.probes.numpy(), self.data.neighbours.numpy()
        members, k = len(self.hard), self.n_clusters
        rows = np.arange(members)[:, None] * (k * k) + np.take(self.hard, probes, axis=1) * k
        cells = np.take(self.hard, neighbours.ravel(), axis=1).reshape(members, *neighbours.shape)
        cells += rows[:, :, None]
        counts = np.bincount(cells.ravel(), minlength=members * k * k)
        return counts.reshape(members, k, k).astype(np.int64, copy=False)

    @cached_property
    def feature_spread(self) -> Floats | None:
        """(M,) mean over dimensions of the std of L2-normalised features; 1/sqrt(d) when spread evenly.

        Members in turn: a reduction over dim 1 of (M, N, d) has other bits at M = 1.
        """
        if self.features is None:
            return None
        from torch.nn.functional import normalize

        units = [normalize(member, dim=1) for member in self.features.detach()]
        return np.array([float(unit.std(dim=0, correction=0).mean()) for unit in units])
