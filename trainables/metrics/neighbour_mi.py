"""Neighbour mutual information: of the clusters of points and of their nearest neighbours in input space, in nats.

It rewards agreement of neighbours *and* use of all clusters, so that collapse cannot win; the default selection rule.
"""

from __future__ import annotations

from orchestrator.metric import GUESSED, Metric
from trainables.partitions.scored import Scored
from trainables.partitions.tables import Floats, mutual_information


def compute(scored: Scored) -> Floats:
    """Return the mutual information (M,) of the tables of (cluster of a probe, cluster of a neighbour)."""
    return mutual_information(scored.neighbour_pairs)


METRIC = Metric(written="neighbour MI", compute=compute, chance=GUESSED, ranks=True)
