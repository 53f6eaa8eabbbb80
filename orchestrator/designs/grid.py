"""A full grid: every combination of the factors' levels, judged by the factors' main effects."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from orchestrator.designs.base import Arm, Contrast, Design, Factors, check_distinct, check_factors, levels_of, varied
from orchestrator.knobs import Knob, Value

__all__ = ["Grid", "grid"]


@dataclass(frozen=True)
class Grid(Design):
    """The design of a response surface; see `grid`. The first level of each factor makes the baseline."""

    kind: ClassVar[str] = "grid"

    method: str
    factors: Factors
    base: Mapping[str, Value] = field(default_factory=dict)
    trends: bool = False

    @property
    def knobs(self) -> tuple[str, ...]:
        """The factors' knobs."""
        return varied(self.factors)

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return the product of all levels, the combination of first levels first."""
        check_factors(self.factors, space, self.method)
        start = {**self.base, **base}
        cells = itertools.product(*(list(levels_of(name, levels)) for name, levels in self.factors.items()))
        arms: list[Arm] = []
        for cell in cells:
            labels = [label for label, _ in cell]
            values = dict(start)
            for _, knobs in cell:
                values.update(knobs)
            arms.append(
                Arm(
                    name=", ".join(f"{name}={label}" for name, label in zip(self.factors, labels, strict=True)),
                    method=self.method,
                    values=values,
                    role="level" if arms else "baseline",
                    factor=" x ".join(self.factors),
                    level=", ".join(labels),
                )
            )
        return check_distinct(arms, space)

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return, per factor, each level against the first one averaged over all else (or one linear trend)."""
        found: list[Contrast] = []
        every = [[label for label, _ in levels_of(factor, levels)] for factor, levels in self.factors.items()]
        cells = {arm.name: cell for arm, cell in zip(arms, itertools.product(*every), strict=True)}
        for place, (factor, labels) in enumerate(zip(self.factors, every, strict=True)):
            where = {label: [arm for arm, cell in cells.items() if cell[place] == label] for label in labels}
            if self.trends and len(labels) > 2:
                found.append(_trend(factor, where))
                continue
            for label in labels[1:]:
                weights = {arm: 1.0 / len(where[label]) for arm in where[label]}
                weights |= {arm: -1.0 / len(where[labels[0]]) for arm in where[labels[0]]}
                name = f"{factor}={label} vs {factor}={labels[0]}"
                found.append(Contrast(name=name, weights=weights, kind="effect", factor=factor, level=label))
        return tuple(found)


def _trend(factor: str, where: Mapping[str, Sequence[str]]) -> Contrast:
    """Return the linear trend over ordered levels: last minus first in its unit, if the response is a line."""
    n = len(where)
    centred = [place - (n - 1) / 2 for place in range(n)]
    scale = sum(c * c for c in centred) / (n - 1)
    weights = {
        arm: c / scale / len(arms) for c, arms in zip(centred, where.values(), strict=True) for arm in arms if c != 0.0
    }
    return Contrast(name=f"trend over {factor}", weights=weights, kind="trend", factor=factor, level="trend")


def grid(method: str, factors: Factors, base: Mapping[str, Value] | None = None, *, trends: bool = False) -> Grid:
    """Train every combination of levels.

    Args:
        method: the method's name.
        factors: knob -> ordered levels, or factor -> {label: {knob: value, ...}}.
        base: values of the other knobs.
        trends: test one linear trend for a factor of three or more levels, instead of each level against the first.
    """
    return Grid(method, dict(factors), dict(base or {}), trends)
