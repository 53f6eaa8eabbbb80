"""Normalised mutual information (NMI) with the arithmetic mean of both entropies, as scikit-learn defines it."""

from __future__ import annotations

import numpy as np

from orchestrator.metric import GUESSED, Metric
from trainables.partitions.scored import Scored
from trainables.partitions.tables import Floats, entropy


def compute(scored: Scored) -> Floats:
    """Return NMI (M,); 1 where both sides are one cluster, hence equal."""
    clusters, classes = scored.table.sum(2), scored.table.sum(1)
    mean = (entropy(clusters) + entropy(classes)) / 2
    trivial = ((clusters > 0).sum(1) == 1) & ((classes > 0).sum(1) == 1)
    tiny = scored.information <= np.finfo(np.float64).eps
    nmi = np.where(tiny, 0.0, scored.information / np.where(mean > 0, mean, 1.0))
    return np.where(trivial, 1.0, nmi)


METRIC = Metric(written="NMI", compute=compute, reads_labels=True, percent=True, chance=GUESSED)
