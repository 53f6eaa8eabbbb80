"""Two-level factorials: every combination of low and high, judged by main effects and two-factor interactions."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from orchestrator.designs.base import (
    Arm,
    Contrast,
    Design,
    Factors,
    Role,
    check_distinct,
    check_factors,
    levels_of,
    varied,
)
from orchestrator.errors import RequestError
from orchestrator.knobs import Knob, Value

__all__ = ["Factorial", "factorial"]

Signs = tuple[int, ...]
"""One run of a two-level design: -1 (first level) or +1 (second level) per factor."""


@dataclass(frozen=True)
class Factorial(Design):
    """See `factorial`. The baseline is the run with every factor at its first level."""

    kind: ClassVar[str] = "factorial"

    method: str
    factors: Factors
    base: Mapping[str, Value] = field(default_factory=dict)
    interactions: bool = True

    @property
    def knobs(self) -> tuple[str, ...]:
        """The factors' knobs."""
        return varied(self.factors)

    def runs(self) -> list[Signs]:
        """Return the 2^k runs in standard order."""
        return list(itertools.product((-1, 1), repeat=len(self.factors)))

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return one arm a run."""
        check_factors(self.factors, space, self.method)
        return arms_of_runs(self.method, self.factors, self.runs(), {**self.base, **base}, space)

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return the main effects and, if asked for, every two-factor interaction."""
        runs, names = self.runs(), list(self.factors)
        words: list[tuple[int, ...]] = [(place,) for place in range(len(names))]
        if self.interactions:
            words += list(itertools.combinations(range(len(names)), 2))
        return tuple(effect(names, word, runs, arms) for word in words)


def check_two_levels(factors: Factors, method: str) -> None:
    """Refuse factors that have not exactly two levels.

    Raises:
        RequestError: names the factor.
    """
    for name, levels in factors.items():
        if len(levels) != 2:
            raise RequestError(f"factor {name!r} of {method} has {len(levels)} levels; a two-level design takes two")


def arms_of_runs(
    method: str, factors: Factors, runs: Sequence[Signs], start: Mapping[str, Value], space: Mapping[str, Knob]
) -> tuple[Arm, ...]:
    """Return one arm per run, the run of first levels as the baseline if it is among them, else the first run."""
    check_two_levels(factors, method)
    levels = [list(levels_of(name, values)) for name, values in factors.items()]
    lowest: Signs = tuple([-1] * len(factors))
    baseline = lowest if lowest in runs else runs[0]
    arms = []
    for run in runs:
        values = dict(start)
        labels = []
        for sign, (low, high) in zip(run, levels, strict=True):
            label, knobs = high if sign > 0 else low
            values.update(knobs)
            labels.append(label)
        name = ", ".join(f"{factor}={label}" for factor, label in zip(factors, labels, strict=True))
        role: Role = "baseline" if run == baseline else "level"
        arms.append(
            Arm(name=name, method=method, values=values, role=role, factor="factorial", level=", ".join(labels))
        )
    return check_distinct(arms, space)


def effect(names: Sequence[str], word: Sequence[int], runs: Sequence[Signs], arms: Sequence[Arm]) -> Contrast:
    """Return the effect of a word of factors: mean over runs where its sign product is +1, minus where it is -1.

    For one factor that is its main effect in the metric's unit; for two, half the difference between the effect of
    the one at the other's second and first level.
    """
    half = len(runs) / 2
    weights = {}
    for run, arm in zip(runs, arms, strict=True):
        sign = 1
        for place in word:
            sign *= run[place]
        weights[arm.name] = sign / half
    factor = " x ".join(names[place] for place in word)
    kind: Literal["effect", "interaction"] = "effect" if len(word) == 1 else "interaction"
    return Contrast(name=f"{kind} of {factor}", weights=weights, kind=kind, factor=factor, level="high vs low")


def factorial(
    method: str, factors: Factors, base: Mapping[str, Value] | None = None, *, interactions: bool = True
) -> Factorial:
    """Train all 2^k combinations of two levels a factor.

    Args:
        method: the method's name.
        factors: knob -> (low, high), or factor -> {label: {knob: value}} with two labels.
        base: values of the other knobs.
        interactions: whether two-factor interactions are tested beside the main effects.
    """
    return Factorial(method, dict(factors), dict(base or {}), interactions)
