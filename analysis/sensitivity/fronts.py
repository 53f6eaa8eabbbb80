"""Pareto fronts: what no other configuration is as good as in every objective and better than in one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["front"]


def front(scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of (configurations, objectives) no other one dominates, all to be large: (configurations,).

    What one configuration dominates is compared with no further one, and those that dominate most come first: few are
    left after few comparisons, also of tens of thousands.
    """
    left = np.argsort(-scores.sum(axis=1), kind="stable")
    place = 0
    while place < len(left):
        own, others = scores[left[place]], scores[left]
        kept = ~((others <= own).all(axis=1) & (others < own).any(axis=1))
        left, place = left[kept], int(kept[: place + 1].sum())
    found = np.zeros(len(scores), dtype=np.bool_)
    found[left] = True
    return found
