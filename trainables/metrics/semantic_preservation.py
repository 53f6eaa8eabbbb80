"""Semantic preservation: the share of sampled neighbours whose nearest point has the class of their own point.

Computed by methods that sample neighbours (paper 2310's "preservation rate"; its definition is *inferred*).
"""

from __future__ import annotations

from orchestrator.metric import Metric

METRIC = Metric(written="semantic preservation", reads_labels=True)
