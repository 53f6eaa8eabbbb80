"""How many clusters have a point at all."""

from __future__ import annotations

import numpy as np

from orchestrator.metric import Metric
from trainables.partitions.scored import Scored
from trainables.partitions.tables import Floats


def compute(scored: Scored) -> Floats:
    """Return the number (M,), from 1 to K."""
    used: Floats = (scored.sizes > 0).sum(1).astype(np.float64)
    return used


METRIC = Metric(written="n clusters used", compute=compute, larger_is_better=None)
