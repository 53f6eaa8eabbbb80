"""The share of all points that is in the largest cluster."""

from __future__ import annotations

from orchestrator.metric import Metric
from trainables.partitions.scored import Scored
from trainables.partitions.tables import Floats


def compute(scored: Scored) -> Floats:
    """Return the share (M,), from 1/K to 1."""
    shares: Floats = scored.sizes.max(1) / scored.sizes.sum(1)
    return shares


METRIC = Metric(written="max share", compute=compute, larger_is_better=None)
