"""Spread of learned features: the mean over dimensions of the standard deviation of unit vectors."""

from __future__ import annotations

from orchestrator.metric import Metric
from trainables.partitions.scored import Scored
from trainables.partitions.tables import Floats


def compute(scored: Scored) -> Floats | None:
    """Return the spread (M,), 1/sqrt(d) where features are spread evenly; None of methods without features."""
    return scored.feature_spread


METRIC = Metric(written="feature std", compute=compute, larger_is_better=None)
