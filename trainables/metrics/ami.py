"""Adjusted mutual information (AMI; Vinh, Epps and Bailey 2010), arithmetic mean: NMI less what chance gives."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from orchestrator.metric import Cost, Metric
from trainables.partitions.scored import Scored
from trainables.partitions.tables import Floats, Ints, entropy

TERMS_AT_A_TIME = 1 << 20


def compute(scored: Scored) -> Floats:
    """Return AMI (M,); 1 for equal partitions (single points on both sides included, where it is 0/0)."""
    table = scored.table
    clusters, classes = table.sum(2), table.sum(1)
    mean = (entropy(clusters) + entropy(classes)) / 2
    equal = ((table > 0).sum(2) <= 1).all(1) & ((table > 0).sum(1) <= 1).all(1)
    by_chance = np.array(list(map(expected_information, clusters, classes)))
    return np.where(equal, 1.0, _adjusted(scored.information, mean, by_chance))


def _adjusted(information: Floats, mean: Floats, by_chance: Floats) -> Floats:
    """Return the excess over chance as a share of the largest one; a vanishing denominator keeps its sign."""
    eps = np.finfo(np.float64).eps
    span = mean - by_chance
    span = np.where(span < 0, np.minimum(span, -eps), np.maximum(span, eps))
    excess = information - by_chance
    return np.where(np.abs(excess) < eps, 0.0, excess / span)


def expected_information(clusters: Ints, classes: Ints) -> float:
    """Return the mean mutual information (nats) of random partitions with these sizes.

    Each cell of the table is hypergeometric (eq. 24a of the paper): a sum over its possible counts n, from
    max(1, a + b - N) to min(a, b), of n/N ln(N n / (a b)) times the probability of n. Cells of equal sizes are one.
    """
    n_points = int(clusters.sum())
    rows, row_counts = np.unique(clusters[clusters > 0], return_counts=True)
    columns, column_counts = np.unique(classes[classes > 0], return_counts=True)
    a, b = np.repeat(rows, len(columns)), np.tile(columns, len(rows))
    cells = np.repeat(row_counts, len(columns)) * np.tile(column_counts, len(rows))
    first, last = np.maximum(1, a + b - n_points), np.minimum(a, b)
    ends = np.cumsum(last - first + 1)
    total, start = 0.0, 0
    while start < len(cells):  # some cells at a time, or 60,000 points in 100 clusters would need gigabytes
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + TERMS_AT_A_TIME, side="right")))
        part = slice(start, stop)
        total += _information(a[part], b[part], first[part], last[part], cells[part], n_points)
        start = stop
    return total


def _information(a: Ints, b: Ints, first: Ints, last: Ints, cells: Ints, n_points: int) -> float:
    log_factorial = _log_factorials(n_points)
    lengths = last - first + 1
    starts = np.cumsum(lengths) - lengths
    cell = np.repeat(np.arange(len(a)), lengths)
    n = np.arange(lengths.sum()) - starts[cell] + first[cell]
    fixed = (
        log_factorial[a] + log_factorial[b] + log_factorial[n_points - a] + log_factorial[n_points - b]
    ) - log_factorial[n_points]
    free = log_factorial[n] + log_factorial[a[cell] - n] + log_factorial[b[cell] - n]
    free += log_factorial[n_points - a[cell] - b[cell] + n]
    gain = np.log(n_points * n.astype(np.float64)) - np.log(a.astype(np.float64) * b)[cell]
    terms = n / n_points * gain * np.exp(fixed[cell] - free)
    return float((np.add.reduceat(terms, starts) * cells).sum())


@lru_cache(maxsize=4)
def _log_factorials(n_points: int) -> Floats:
    """Return ln n! for n = 0 ... N: the same for all trials on a dataset."""
    return np.fromiter((math.lgamma(n + 1.0) for n in range(n_points + 1)), np.float64, n_points + 1)


METRIC = Metric(written="AMI", compute=compute, reads_labels=True, percent=True, cost=Cost.LAST, chance=0.0)
