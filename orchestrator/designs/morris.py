"""Morris screening: trajectories that move one knob at a time; mu* ranks the knobs, sigma shows interactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from orchestrator.designs.base import Arm, Contrast, Design
from orchestrator.designs.screening import Ranges, arms_of_sample, checked_ranges, problem
from orchestrator.errors import RequestError
from orchestrator.knobs import Knob, Value

__all__ = ["Morris", "morris"]


@dataclass(frozen=True)
class Morris(Design):
    """See `morris`."""

    kind: ClassVar[str] = "morris"

    method: str
    ranges: Ranges
    n_trajectories: int = 10
    n_levels: int = 4
    base: Mapping[str, Value] = field(default_factory=dict)

    @property
    def knobs(self) -> tuple[str, ...]:
        """The screened knobs."""
        return tuple(self.ranges)

    def described(self) -> dict[str, object]:
        """Return kind, method, knobs and the grid of the trajectories."""
        return {**super().described(), "n_levels": self.n_levels, "n_trajectories": self.n_trajectories}

    def sample(self) -> NDArray[np.float64]:
        """Return the trajectories in the unit cube: n_trajectories * (k + 1) rows, the same at every call."""
        from SALib.sample import morris as salib

        drawn = salib.sample(problem(list(self.ranges)), self.n_trajectories, num_levels=self.n_levels, seed=0)
        return np.asarray(drawn, dtype=np.float64)

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return one arm per distinct configuration of the trajectories."""
        if self.n_trajectories < 2 or self.n_levels < 2 or self.n_levels % 2:
            raise RequestError(
                f"morris over {self.method}: n_trajectories = {self.n_trajectories}, n_levels = {self.n_levels}; "
                "trajectories are at least 2, levels even"
            )
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
    ranges = dict.fromkeys(over) if isinstance(over, tuple) else dict(over)
    return Morris(method, ranges, n_trajectories, n_levels, dict(base or {}))
