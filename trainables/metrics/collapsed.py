"""The collapse label: 1 where few clusters are left, one has nearly all points, or learned features are flat."""

from __future__ import annotations

import numpy as np

from orchestrator.metric import Metric
from trainables.partitions.scored import Scored
from trainables.partitions.tables import Floats, entropy

MAX_SHARE, FLAT_FEATURES = 0.9, 0.05
"""Above this share, or below this part of an even spread of features, a trial counts as collapsed."""


def compute(scored: Scored) -> Floats:
    """Return the label (M,): 1 also where the effective clusters are fewer than half of K."""
    sizes = scored.sizes
    share = sizes.max(1) / sizes.sum(1)
    gone = (np.exp(entropy(sizes)) < scored.n_clusters / 2) | (share > MAX_SHARE)
    if scored.features is not None and scored.feature_spread is not None:
        gone |= scored.feature_spread < FLAT_FEATURES / np.sqrt(scored.features.shape[2])
    flags: Floats = gone.astype(np.float64)
    return flags


METRIC = Metric(written="collapsed", compute=compute, larger_is_better=False)
