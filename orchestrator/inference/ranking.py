"""Methods over data sets: Friedman's test and the critical difference of mean ranks (Nemenyi).

Demšar 2006 (JMLR 7), section 3.2.  The drawing is in `analysis`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestrator.errors import RequestError

__all__ = ["CriticalDifference", "critical_difference", "friedman"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CriticalDifference:
    """What a critical-difference diagram shows."""

    methods: tuple[str, ...]
    """Best (lowest mean rank) first."""
    mean_ranks: tuple[float, ...]
    difference: float
    """Mean ranks closer than this are not told apart at alpha."""
    p: float
    """Friedman's p: do the methods differ at all."""
    n_datasets: int
    alpha: float
    cliques: tuple[tuple[str, ...], ...]
    """Largest runs of methods that are not told apart."""


def friedman(values: ArrayLike) -> tuple[float, Floats]:
    """Friedman's chi-square p and the mean ranks, rank 1 for the largest value, ties averaged.

    Args:
        values: (datasets, methods), larger is better, complete.

    Raises:
        RequestError: fewer than two data sets or three methods, or a missing cell.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or len(table) < 2 or table.shape[1] < 3:
        raise RequestError(f"Friedman's test over {table.shape}: needs at least 2 data sets and 3 methods")
    if not np.isfinite(table).all():
        raise RequestError("Friedman's test needs every method on every data set; fill the gaps or leave methods out")
    from scipy import stats  # slow to import

    ranks = stats.rankdata(-table, axis=1)
    if np.all(ranks == ranks[0, 0]):
        return 1.0, ranks.mean(axis=0)
    return float(stats.friedmanchisquare(*table.T).pvalue), ranks.mean(axis=0)


def critical_difference(values: ArrayLike, methods: Sequence[str], alpha: float = 0.05) -> CriticalDifference:
    """Mean ranks with Nemenyi's critical difference q_alpha sqrt(k (k + 1) / (6 N)).

    Args:
        values: (datasets, methods), larger is better, complete.
        methods: names of the columns.
        alpha: level of the simultaneous comparison of all pairs.

    Raises:
        RequestError: as `friedman`.
    """
    p, ranks = friedman(values)
    n_datasets, k = np.asarray(values).shape
    from scipy import stats

    quantile = float(stats.studentized_range.ppf(1.0 - alpha, k, math.inf)) / math.sqrt(2.0)
    difference = quantile * math.sqrt(k * (k + 1) / (6.0 * n_datasets))
    order = np.argsort(ranks, kind="stable")
    names = tuple(methods[i] for i in order)
    ordered = tuple(float(ranks[i]) for i in order)
    return CriticalDifference(names, ordered, difference, p, n_datasets, alpha, _cliques(names, ordered, difference))


def _cliques(names: tuple[str, ...], ranks: tuple[float, ...], difference: float) -> tuple[tuple[str, ...], ...]:
    runs: list[tuple[int, int]] = []
    for start, rank in enumerate(ranks):
        stop = max(i for i, other in enumerate(ranks) if other - rank < difference) + 1
        if stop - start > 1 and (not runs or stop > runs[-1][1]):
            runs.append((start, stop))
    return tuple(names[start:stop] for start, stop in runs)
