"""Adjusted Rand index (ARI; Hubert and Arabie 1985): agreement on pairs of points, less what chance gives."""

from __future__ import annotations

import numpy as np

from orchestrator.metric import Metric
from trainables.partitions.scored import Scored
from trainables.partitions.tables import Floats


def compute(scored: Scored) -> Floats:
    """Return ARI (M,) from counts of ordered pairs in float64: exact up to 2**53 pairs."""
    table = scored.table
    total = table.sum((1, 2)).astype(np.float64)
    together = (table.astype(np.float64) ** 2).sum((1, 2))
    in_cluster = (table.sum(2).astype(np.float64) ** 2).sum(1)
    in_class = (table.sum(1).astype(np.float64) ** 2).sum(1)
    both, only_cluster, only_class = together - total, in_cluster - together, in_class - together
    neither = total**2 - in_cluster - in_class + together
    span = (both + only_class) * (only_class + neither) + (both + only_cluster) * (only_cluster + neither)
    same = (only_cluster == 0) & (only_class == 0)
    index = 2.0 * (both * neither - only_class * only_cluster) / np.where(span == 0, 1.0, span)
    return np.where(same, 1.0, index)


METRIC = Metric(written="ARI", compute=compute, reads_labels=True, percent=True, chance=0.0)
