"""A full grid: every combination of the factors' levels, judged by the factors' main effects."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from orchestrator.allowed import allowed, flag
from orchestrator.designs.base import (
    BASE,
    FACTORS,
    METHOD,
    Arm,
    Contrast,
    Design,
    Factors,
    check_factors,
    distinct,
    levels_of,
    named,
    that_ask,
    varied,
)
from orchestrator.designs.cells import level_effect, lines_along, trend_over
from orchestrator.knobs import Knob, Value

__all__ = ["Grid", "grid"]


@dataclass(frozen=True)
class Grid(Design):
    """The design of a response surface; see `grid`. The first level of each factor makes the baseline."""

    kind: ClassVar[str] = "grid"

    method: str = field(metadata=allowed(METHOD))
    factors: Factors = field(metadata=allowed(FACTORS))
    base: Mapping[str, Value] = field(default_factory=dict, metadata=allowed(BASE))
    trends: bool = field(default=False, metadata=allowed(flag()))

    @property
    def knobs(self) -> tuple[str, ...]:
        """The factors' knobs."""
        return varied(self.factors)

    @property
    def most_arms(self) -> int:
        """The product of the numbers of levels."""
        return math.prod(map(len, self.factors.values()))

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return the product of all levels, the combination of first levels first."""
        check_factors(self.factors, space, self.method, self.base)
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
                    name=self._name(labels),
                    method=self.method,
                    values=values,
                    role="level" if arms else "baseline",
                    factor=" x ".join(self.factors),
                    level=", ".join(labels),
                )
            )
        return distinct(arms, space, base)

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return, per factor, each level against the first one averaged over all else (or one linear trend)."""
        found: list[Contrast] = []
        labels_of: dict[str, list[str]] = {}
        for factor, levels in self.factors.items():
            labels_of[factor] = [label for label, _ in levels_of(factor, levels)]
        cells = self._cells(list(labels_of.values()), named(arms))
        for place, (factor, labels) in enumerate(labels_of.items()):
            lines = lines_along(cells, place)
            if self.trends and len(labels) > 2:
                weights = trend_over(lines)
                found.append(
                    Contrast(name=f"trend over {factor}", weights=weights, kind="trend", factor=factor, level="trend")
                )
                continue
            for level, label in list(enumerate(labels))[1:]:
                name, weights = f"{factor}={label} vs {factor}={labels[0]}", level_effect(lines, level)
                found.append(Contrast(name=name, weights=weights, kind="effect", factor=factor, level=label))
        return that_ask(found)

    def _cells(self, every: Sequence[Sequence[str]], trained: Mapping[str, str]) -> dict[tuple[int, ...], str]:
        """Return the place of each cell in the product of all levels -> the arm that is trained for it."""
        cells = {}
        for places in itertools.product(*map(range, map(len, every))):
            labels = [labels[place] for labels, place in zip(every, places, strict=True)]
            cells[places] = trained[self._name(labels)]
        return cells

    def _name(self, labels: Sequence[str]) -> str:
        return ", ".join(f"{name}={label}" for name, label in zip(self.factors, labels, strict=True))


def grid(method: str, factors: Factors, base: Mapping[str, Value] | None = None, *, trends: bool = False) -> Grid:
    """Train every combination of levels.

    Args:
        method: the method's name.
        factors: knob -> ordered levels, or factor -> {label: {knob: value, ...}}.
        base: values of the other knobs.
        trends: test one linear trend for a factor of three or more levels, instead of each level against the first.
    """
    return Grid(method, factors, {} if base is None else base, trends)
