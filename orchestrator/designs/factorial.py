"""Two-level factorials: every combination of low and high, judged by main effects and two-factor interactions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from orchestrator.allowed import allowed, flag
from orchestrator.designs.base import (
    BASE,
    FACTORS,
    METHOD,
    Arm,
    Contrast,
    Design,
    Factors,
    Role,
    check_factors,
    distinct,
    levels_of,
    named,
    that_ask,
    varied,
)
from orchestrator.designs.cells import level_effect, lines_along, proportional, signed_sum
from orchestrator.errors import RequestError
from orchestrator.knobs import Knob, Value

__all__ = ["Factorial", "factorial"]

Signs = tuple[int, ...]
"""One run of a two-level design: -1 (first level) or +1 (second level) per factor."""


@dataclass(frozen=True)
class Factorial(Design):
    """See `factorial`. The baseline is the run with every factor at its first level."""

    kind: ClassVar[str] = "factorial"

    method: str = field(metadata=allowed(METHOD))
    factors: Factors = field(metadata=allowed(FACTORS))
    base: Mapping[str, Value] = field(default_factory=dict, metadata=allowed(BASE))
    interactions: bool = field(default=True, metadata=allowed(flag()))

    @property
    def knobs(self) -> tuple[str, ...]:
        """The factors' knobs."""
        return varied(self.factors)

    @property
    def most_arms(self) -> int:
        """2 to the number of factors."""
        return 1 << len(self.factors)

    def runs(self) -> list[Signs]:
        """Return the 2^k runs in standard order."""
        return list(itertools.product((-1, 1), repeat=len(self.factors)))

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return one arm a run."""
        check_factors(self.factors, space, self.method, self.base)
        check_two_levels(self.factors, self.method)
        cells = arms_of_runs(self.method, self.factors, self.runs(), {**self.base, **base})
        return distinct(cells, space, base)

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return the main effects and, if asked for, every two-factor interaction that asks something else."""
        runs, names = self.runs(), list(self.factors)
        trained = arm_of_run(self.factors, runs, arms)
        cells = {tuple(int(sign > 0) for sign in run): arm for run, arm in zip(runs, trained, strict=True)}
        found = []
        for place in range(len(names)):
            one = effect(names, (place,), runs, trained)
            if len(arms) < len(runs):  # a factor that has no effect beside some level of another is judged elsewhere
                one = replace(one, weights=level_effect(lines_along(cells, place), 1))
            found.append(one)
        for word in itertools.combinations(range(len(names)), 2) if self.interactions else ():
            one = effect(names, word, runs, trained)
            if not any(proportional(one.weights, other.weights) for other in found):
                found.append(one)
        return that_ask(found)


def check_two_levels(factors: Factors, method: str) -> None:
    """Refuse factors that have not exactly two levels.

    Raises:
        RequestError: names the factor.
    """
    for name, levels in factors.items():
        if len(levels) != 2:
            raise RequestError(f"factor {name!r} of {method} has {len(levels)} levels; a two-level design takes two")


def arms_of_runs(method: str, factors: Factors, runs: Sequence[Signs], start: Mapping[str, Value]) -> list[Arm]:
    """Return one cell per run, the run of first levels as the baseline if it is among them, else the first run."""
    lowest: Signs = tuple([-1] * len(factors))
    baseline = lowest if lowest in runs else runs[0]
    arms = []
    for run in runs:
        values, chosen = dict(start), list(_levels_of_run(factors, run))
        for _, (_, knobs) in chosen:
            values.update(knobs)
        role: Role = "baseline" if run == baseline else "level"
        name, level = _name(factors, run), ", ".join(label for _, (label, _) in chosen)
        arms.append(Arm(name=name, method=method, values=values, role=role, factor="factorial", level=level))
    return arms


def arm_of_run(factors: Factors, runs: Sequence[Signs], arms: Sequence[Arm]) -> list[str]:
    """Return the name of the arm that is trained for each run."""
    trained = named(arms)
    return [trained[_name(factors, run)] for run in runs]


def _levels_of_run(factors: Factors, run: Signs) -> Iterator[tuple[str, tuple[str, dict[str, Value]]]]:
    """Yield each factor with the label and the knobs that a run gives it."""
    for sign, (name, levels) in zip(run, factors.items(), strict=True):
        low, high = levels_of(name, levels)
        yield name, (high if sign > 0 else low)


def _name(factors: Factors, run: Signs) -> str:
    return ", ".join(f"{name}={label}" for name, (label, _) in _levels_of_run(factors, run))


def effect(names: Sequence[str], word: Sequence[int], runs: Sequence[Signs], trained: Sequence[str]) -> Contrast:
    """Return the effect of a word of factors: mean over runs where its sign product is +1, minus where it is -1.

    For one factor that is its main effect in the metric's unit; for two, half the difference between the effect of
    the one at the other's second and first level.

    Args:
        names: the factors.
        word: places of the factors in the word.
        runs: the runs of the design.
        trained: the arm of each run.
    """
    weights = signed_sum(trained, [math.prod(run[place] for place in word) for run in runs])
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
    return Factorial(method, factors, {} if base is None else base, interactions)
