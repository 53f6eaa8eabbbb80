"""Oracle optimism: what choosing configurations or epochs by labels would have added to a label-free choice.

Rule and oracle both choose on one half of the seeds and are judged on the other. A choice that was made on the seeds
that judge it looks better than it is, the rule's like the oracle's; so neither is, and what is estimated is the
difference between choosing by labels and by the rule *on half of the seeds*.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["FEWEST_SEEDS", "CrossedGain", "best_minus_chosen", "crossed_gain"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FEWEST_SEEDS = 4
"""Below it a half has a single seed."""
_MOST_SPLITS = 70
_SEED = 20_240_303


@dataclass(frozen=True)
class CrossedGain:
    """What the oracle would have added, judged on seeds on which neither chose."""

    gain: float
    """Mean over all splits, in units of the external metric; nan: too few seeds, or the rule had nothing to choose."""
    gains: Floats
    """(seeds,) mean gain on each seed over the splits in which it judged."""
    n_splits: int
    agree: float
    """Share of the splits in which oracle and rule choose the same."""


def crossed_gain(external: ArrayLike, scores: ArrayLike, allowed: ArrayLike | None = None) -> CrossedGain:
    """Judge the oracle's and the rule's choice on the half of the seeds on which neither chose, over all halves.

    Args:
        external: (choices, seeds) external metric; rows with a nan are left out.
        scores: (choices, seeds) what the rule maximises the mean of; nan: it cannot consider the row there.
        allowed: (choices, seeds) False where the rule drops a row whose half holds that seed (collapse); None: all.

    Returns:
        The mean gain. Unbiased for the difference between the two ways to choose on half of the seeds, whatever the
        rule has to do with the metric, as long as seeds are independent draws.
    """
    table, score = np.asarray(external, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    score = np.where(np.ones(score.shape, dtype=bool) if allowed is None else np.asarray(allowed), score, np.nan)
    kept = np.isfinite(table).all(axis=1)
    table, score = table[kept], score[kept]
    n_seeds = table.shape[1]
    unknown = CrossedGain(math.nan, np.full(n_seeds, np.nan), 0, math.nan)
    if n_seeds < FEWEST_SEEDS or not len(table):
        return unknown
    sums, counts, same, splits = np.zeros(n_seeds), np.zeros(n_seeds), 0, 0
    for half in _halves(n_seeds):
        rated = score[:, half].mean(axis=1)
        if np.isnan(rated).all():
            return unknown
        rule, oracle = int(np.nanargmax(rated)), int(np.argmax(table[:, half].mean(axis=1)))
        judge = np.setdiff1d(np.arange(n_seeds), half)
        sums[judge] += table[oracle, judge] - table[rule, judge]
        counts[judge] += 1
        same, splits = same + (rule == oracle), splits + 1
    gains = sums / np.where(counts > 0, counts, np.nan)
    return CrossedGain(float(np.nanmean(gains)), gains, splits, same / splits)


def best_minus_chosen(external: ArrayLike, chosen: Sequence[int]) -> Floats:
    """(trials,) largest evaluation of each trial minus the chosen one: at least 0, mostly by the noise of the curve.

    Args:
        external: (trials, evaluations) external metric; nan is not measured.
        chosen: (trials,) evaluation that a label-free rule chose.
    """
    table = np.atleast_2d(np.asarray(external, dtype=np.float64))
    best = np.where(np.isnan(table), -np.inf, table).max(axis=1, initial=-np.inf)
    at_choice = table[np.arange(len(table)), np.asarray(chosen, dtype=np.int64)]
    return np.where(np.isfinite(best), best, np.nan) - at_choice


def _halves(n_seeds: int) -> Iterator[Sequence[int]]:
    """Yield all halves, or as many as are enough, each with its complement where that is a half too."""
    size = n_seeds // 2
    if math.comb(n_seeds, size) <= _MOST_SPLITS:
        yield from itertools.combinations(range(n_seeds), size)
        return
    random = np.random.default_rng(_SEED)
    for _ in range(_MOST_SPLITS // 2):
        order = random.permutation(n_seeds)
        yield order[:size].tolist()
        yield order[n_seeds - size :].tolist()
