"""Oracle optimism: what choosing epochs or configurations by labels would have added to a label-free choice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestrator.errors import RequestError
from orchestrator.inference.sign_flip import Interval, sign_flip_interval

__all__ = ["Optimism", "optimism_of_configurations", "optimism_of_epochs"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Optimism:
    """What choosing by labels would have added, in units of the external metric."""

    gain: float
    """Mean gain of the oracle over the rule on the same seeds: at least 0 for epochs, biased upwards by the search."""
    interval: Interval
    """Sign-flip interval of the gains (over seeds or trials)."""
    gains: Floats
    oracle: int | None
    """Row that labels would have picked; None for epochs."""
    crossed_gain: float
    """Gain on a seed of the oracle that chose on the *other* seeds, averaged: free of that bias; nan for epochs."""


def optimism_of_configurations(external: ArrayLike, chosen: int, confidence: float = 0.95) -> Optimism:
    """What choosing the configuration by labels would have added.

    Args:
        external: (configurations, seeds) external metric on the search seeds; rows with a nan are not eligible,
            collapsed configurations are (the oracle would see their labels too).
        chosen: row that the label-free rule chose; must be complete.
        confidence: of the interval.

    Raises:
        RequestError: the chosen row is incomplete.
    """
    table = np.asarray(external, dtype=np.float64)
    eligible = np.isfinite(table).sum(axis=1) == table.shape[1]
    if not eligible[chosen]:
        raise RequestError(f"configuration {chosen} lacks values on some search seeds; its oracle optimism is unknown")
    means = np.where(eligible, np.where(np.isfinite(table), table, 0.0).mean(axis=1), -np.inf)
    oracle = int(np.argmax(means))
    gains = table[oracle] - table[chosen]
    crossed = []
    for seed in range(table.shape[1]) if table.shape[1] > 1 else ():
        others = np.where(eligible, np.delete(table, seed, axis=1).mean(axis=1), -np.inf)
        crossed.append(float(table[int(np.argmax(others)), seed] - table[chosen, seed]))
    return Optimism(
        gain=float(gains.mean()),
        interval=sign_flip_interval(gains, confidence),
        gains=gains,
        oracle=oracle,
        crossed_gain=float(np.mean(crossed)) if crossed else math.nan,
    )


def optimism_of_epochs(external: ArrayLike, chosen: Sequence[int] | Ints, confidence: float = 0.95) -> Optimism:
    """What reporting each trial's best evaluation by labels would have added.

    Args:
        external: (trials, evaluations) external metric; nan is not measured.
        chosen: (trials,) evaluation that the label-free rule chose.
        confidence: of the interval.
    """
    table = np.atleast_2d(np.asarray(external, dtype=np.float64))
    at_choice = table[np.arange(len(table)), np.asarray(chosen, dtype=np.int64)]
    best = np.where(np.isnan(table), -np.inf, table).max(axis=1, initial=-np.inf)
    gains = np.where(np.isfinite(best), best, np.nan) - at_choice
    finite = gains[np.isfinite(gains)]
    return Optimism(
        gain=float(finite.mean()) if len(finite) else math.nan,
        interval=sign_flip_interval(gains, confidence),
        gains=gains,
        oracle=None,
        crossed_gain=math.nan,
    )
