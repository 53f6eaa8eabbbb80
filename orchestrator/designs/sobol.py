"""Sobol indices: a Saltelli sample of the knob space; S1 and ST say what share of the variance a knob explains."""

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

__all__ = ["Sobol", "sobol"]


MOST_BASE = 2**16


def _power(given: object, where: str) -> int:
    found: int = whole(2, MOST_BASE).convert(given, where)
    if found & (found - 1):
        raise ValueError(given)
    return found


POWER = Rule(f"a power of 2 from 2 to {MOST_BASE:,}", _power)


@dataclass(frozen=True)
class Sobol(Design):
    """See `sobol`."""

    kind: ClassVar[str] = "sobol"

    method: str = field(metadata=allowed(METHOD))
    ranges: Ranges = field(metadata=allowed(OVER))
    n_base: int = field(default=16, metadata=allowed(POWER))
    base: Mapping[str, Value] = field(default_factory=dict, metadata=allowed(BASE))

    @property
    def knobs(self) -> tuple[str, ...]:
        """The knobs whose indices are wanted."""
        return tuple(self.ranges)

    def described(self) -> dict[str, object]:
        """Return kind, method, knobs and the size of the base sample."""
        return {**super().described(), "n_base": self.n_base}

    @property
    def most_arms(self) -> int:
        """n_base * (k + 2)."""
        return self.n_base * (len(self.ranges) + 2)

    def sample(self) -> NDArray[np.float64]:
        """Return the sample in the unit cube: n_base * (k + 2) rows, the same at every call."""
        from SALib.sample import sobol as salib

        drawn = salib.sample(problem(list(self.ranges)), self.n_base, calc_second_order=False, seed=0)
        return np.asarray(drawn, dtype=np.float64)

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return one arm per distinct configuration of the sample."""
        domains = checked_ranges(self.ranges, space, self.method)
        return arms_of_sample(self.method, self.sample(), domains, {**self.base, **base}, space)

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return nothing: indices are described with an interval, not tested."""
        return ()


def sobol(
    method: str,
    over: Ranges | tuple[str, ...],
    *,
    n_base: int = 16,
    base: Mapping[str, Value] | None = None,
) -> Sobol:
    """Decompose the variance of the metric over knobs (Saltelli's scheme; sampled and analysed by SALib).

    Args:
        method: the method's name.
        over: the knobs, with a narrower range each if wanted.
        n_base: size of the base sample, a power of 2; the design has n_base * (k + 2) configurations.
        base: values of the other knobs.
    """
    return Sobol(method, over, n_base, {} if base is None else base)  # type: ignore[arg-type]  # a dict then
