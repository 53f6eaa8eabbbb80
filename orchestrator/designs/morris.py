"""Morris screening: trajectories that move one knob at a time; mu* ranks the knobs, sigma shows interactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from orchestrator.allowed import Rule, allowed, whole
from orchestrator.designs.base import BASE, METHOD, Arm, Contrast, Design
from orchestrator.designs.screening import OVER, Ranges, arms_of_sample, checked_ranges, problem
from orchestrator.knobs import Knob, Value

__all__ = ["Morris", "morris"]


MOST_TRAJECTORIES = 10_000

MOST_LEVELS = 1_000


def _even(given: object, where: str) -> int:
    found: int = whole(2, MOST_LEVELS).convert(given, where)
    if found % 2:
        raise ValueError(given)
    return found


EVEN = Rule(f"an even number from 2 to {MOST_LEVELS:,}", _even)


@dataclass(frozen=True)
class Morris(Design):
    """See `morris`."""

    kind: ClassVar[str] = "morris"

    method: str = field(metadata=allowed(METHOD))
    ranges: Ranges = field(metadata=allowed(OVER))
    n_trajectories: int = field(default=10, metadata=allowed(whole(2, MOST_TRAJECTORIES)))
    n_levels: int = field(default=4, metadata=allowed(EVEN))
    base: Mapping[str, Value] = field(default_factory=dict, metadata=allowed(BASE))

    @property
    def knobs(self) -> tuple[str, ...]:
        """The screened knobs."""
        return tuple(self.ranges)

    def described(self) -> dict[str, object]:
        """Return kind, method, knobs and the grid of the trajectories."""
        return {**super().described(), "n_levels": self.n_levels, "n_trajectories": self.n_trajectories}

    @property
    def most_arms(self) -> int:
        """n_trajectories * (k + 1)."""
        return self.n_trajectories * (len(self.ranges) + 1)

    def sample(self) -> NDArray[np.float64]:
        """Return the trajectories in the unit cube: n_trajectories * (k + 1) rows, the same at every call."""
        from SALib.sample import morris as salib

        drawn = salib.sample(problem(list(self.ranges)), self.n_trajectories, num_levels=self.n_levels, seed=0)
        return np.asarray(drawn, dtype=np.float64)

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return one arm per distinct configuration of the trajectories."""
        domains = checked_ranges(self.ranges, space, self.method)
        return arms_of_sample(self.method, self.sample(), domains, {**self.base, **base}, space)

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return nothing: mu* is described with an interval, not tested."""
        return ()


def morris(
    method: str,
    over: Ranges | tuple[str, ...],
    *,
    n_trajectories: int = 10,
    n_levels: int = 4,
    base: Mapping[str, Value] | None = None,
) -> Morris:
    """Screen knobs by elementary effects (Morris 1991; sampled and analysed by SALib).

    Args:
        method: the method's name.
        over: the knobs, with a narrower range each if wanted.
        n_trajectories: trajectories; each costs one configuration more than there are knobs.
        n_levels: levels of the grid that trajectories walk on, even.
        base: values of the other knobs.
    """
    return Morris(method, over, n_trajectories, n_levels, {} if base is None else base)  # type: ignore[arg-type]  # a dict then
