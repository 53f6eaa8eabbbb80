"""One factor at a time: the baseline, and every level of every factor with all else at the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from orchestrator.allowed import allowed
from orchestrator.designs.base import (
    BASE,
    FACTORS,
    METHOD,
    Arm,
    Contrast,
    Design,
    Factors,
    against_baseline,
    check_factors,
    distinct,
    levels_of,
    varied,
)
from orchestrator.knobs import Knob, Value

__all__ = ["OneFactor", "one_factor"]


@dataclass(frozen=True)
class OneFactor(Design):
    """The design of an ablation; see `one_factor`."""

    kind: ClassVar[str] = "one_factor"

    method: str = field(metadata=allowed(METHOD))
    factors: Factors = field(metadata=allowed(FACTORS))
    base: Mapping[str, Value] = field(default_factory=dict, metadata=allowed(BASE))

    @property
    def knobs(self) -> tuple[str, ...]:
        """The factors' knobs."""
        return varied(self.factors)

    @property
    def most_arms(self) -> int:
        """1 + the sum of the numbers of levels."""
        return 1 + sum(map(len, self.factors.values()))

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return the baseline and one arm a level."""
        start = {**self.base, **base}
        baseline = Arm(name="baseline", method=self.method, values=start, role="baseline")
        if self.factors:
            check_factors(self.factors, space, self.method)
        arms = [baseline]
        for factor, levels in self.factors.items():
            for label, values in levels_of(factor, levels):
                name, full = f"{factor}={label}", {**start, **values}
                arms.append(Arm(name=name, method=self.method, values=full, factor=factor, level=label))
        return distinct(arms, space, base)

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return each level's difference to the baseline."""
        return against_baseline(arms)


def one_factor(method: str, factors: Factors, base: Mapping[str, Value] | None = None) -> OneFactor:
    """Vary one factor at a time around a baseline.

    Args:
        method: the method's name.
        factors: knob -> levels other than the baseline's, or factor -> {label: {knob: value, ...}}.
        base: what the baseline sets; all else is at the Config's default.
    """
    return OneFactor(method, factors, {} if base is None else base)
