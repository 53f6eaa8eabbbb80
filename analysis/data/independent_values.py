"""Which values of an arm are independent: one a seed, or one for the seeds on a stage that a seed had drawn."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.inference.shared_draws import by_unit, sharing

__all__ = ["Independent", "independent"]


@dataclass(frozen=True)
class Independent:
    """Values to make an interval or a test of."""

    values: NDArray[np.float64]
    grouped: bool
    """Whether they are means over seeds that share a stage."""

    @property
    def counted(self) -> str:
        """What there are so many of, in words."""
        return f"{len(self.values)} {'independent stages' if self.grouped else 'seeds'}"


def independent(values: Mapping[int, float], drawn: Mapping[int, Collection[str]]) -> Independent:
    """Return the values of an arm that count.

    Args:
        values: seed -> value, complete trials.
        drawn: seed -> what the trial builds on that was made once, with a draw of its own (`frame.drawn_stages`).
    """
    own = np.array(list(values.values()), dtype=np.float64)
    shared = sharing([drawn.get(seed, ()) for seed in values])
    if not shared.grouped:
        return Independent(own, grouped=False)
    means = by_unit(own, shared.units)
    return Independent(means[np.isfinite(means)], grouped=True)
