"""Accuracy (ACC): the share of points in the class of their cluster, clusters and classes matched one to one."""

from __future__ import annotations

from orchestrator.metric import GUESSED, Metric
from trainables.partitions.matching import matched
from trainables.partitions.scored import Scored
from trainables.partitions.tables import Floats


def compute(scored: Scored) -> Floats:
    """Return ACC (M,) under the best matching; clusters beyond the number of classes hit nothing."""
    shares: Floats = matched(scored.table) / scored.hard.shape[1]
    return shares


METRIC = Metric(written="ACC", compute=compute, reads_labels=True, percent=True, chance=GUESSED)
