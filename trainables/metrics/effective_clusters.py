"""Effective clusters: exp of the entropy of the cluster sizes; K for even sizes, 1 for one cluster."""

from __future__ import annotations

import numpy as np

from orchestrator.metric import Metric
from trainables.partitions.scored import Scored
from trainables.partitions.tables import Floats, entropy


def compute(scored: Scored) -> Floats:
    """Return the effective number of clusters (M,)."""
    return np.exp(entropy(scored.sizes))


METRIC = Metric(written="effective clusters", compute=compute, larger_is_better=None)
