"""Preservation: the share of nearest neighbours in input space that are in the cluster of their point.

It prefers few large clusters (one cluster has 1), so as a selection rule it is there for comparison.
"""

from __future__ import annotations

import numpy as np

from orchestrator.metric import GUESSED, Cost, Metric
from trainables.partitions.scored import Scored
from trainables.partitions.tables import Floats


def compute(scored: Scored) -> Floats:
    """Return the share (M,) over a fixed subsample of points and their ten nearest neighbours."""
    pairs = scored.neighbour_pairs
    shares: Floats = np.trace(pairs, axis1=1, axis2=2) / pairs.sum((1, 2))
    return shares


METRIC = Metric(written="preservation", compute=compute, cost=Cost.LAST, chance=GUESSED, ranks=True)
