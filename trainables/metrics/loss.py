"""The training loss, which every method gives; it contains knobs, so it is no common scale for configurations."""

from __future__ import annotations

from orchestrator.metric import Metric

METRIC = Metric(written="loss", larger_is_better=False)
