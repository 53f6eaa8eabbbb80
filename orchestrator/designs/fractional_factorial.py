"""2^(k-p) fractions of a two-level factorial, with their alias structure spelled out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from orchestrator.allowed import Rule, allowed, many, mapping, text
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
    that_ask,
    varied,
)
from orchestrator.designs.factorial import Signs, arm_of_run, arms_of_runs, check_two_levels, effect
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.knobs import Knob, Value

__all__ = ["FractionalFactorial", "fractional_factorial"]

Word = frozenset[int]
"""A product of factors, by place; the empty word is the identity I."""

MOST_GENERATORS = 12
"""The defining relation has a word for each product of generators."""


def _product() -> Rule:
    """Return the rule of a product of factors: their names in a tuple, or a text of one letter each."""
    names = many(text("a factor"), "factors", least=1)
    return Rule(
        "a product of factors, such as ('a', 'b')",
        lambda given, where: names.convert(list(given) if isinstance(given, str) else given, where),
    )


GENERATORS = mapping(_product(), "generated factor -> the factors of its product, at least one", least=1)


@dataclass(frozen=True)
class FractionalFactorial(Design):
    """See `fractional_factorial`."""

    kind: ClassVar[str] = "fractional_factorial"

    method: str = field(metadata=allowed(METHOD))
    factors: Factors = field(metadata=allowed(FACTORS))
    generators: Mapping[str, tuple[str, ...]] = field(metadata=allowed(GENERATORS))
    base: Mapping[str, Value] = field(default_factory=dict, metadata=allowed(BASE))

    @property
    def knobs(self) -> tuple[str, ...]:
        """The factors' knobs."""
        return varied(self.factors)

    @property
    def most_arms(self) -> int:
        """2 to the number of factors that are not generated."""
        return 1 << len(self._basic)

    @property
    def _basic(self) -> list[str]:
        """The factors that are not generated."""
        return [name for name in self.factors if name not in self.generators]

    def runs(self) -> list[Signs]:
        """Return the 2^(k-p) runs: basic factors in standard order, generated ones as products of those."""
        found = []
        for signs in itertools.product((-1, 1), repeat=len(self._basic)):
            by_name = dict(zip(self._basic, signs, strict=True))
            for name, word in self.generators.items():
                by_name[name] = math.prod(by_name[factor] for factor in word)
            found.append(tuple(by_name[name] for name in self.factors))
        return found

    def defining_words(self) -> set[Word]:
        """Return the defining relation: every product of generators that equals I (without I itself)."""
        names = list(self.factors)
        words = [frozenset(map(names.index, (name, *word))) for name, word in self.generators.items()]
        relation: set[Word] = set()
        for size in range(1, len(words) + 1):
            for some in itertools.combinations(words, size):
                product: Word = frozenset()
                for word in some:
                    product = product ^ word
                relation.add(product)
        return relation

    @property
    def resolution(self) -> int:
        """Length of the shortest defining word: at III main effects are aliased with two-factor interactions."""
        return min(map(len, self.defining_words()), default=len(self.factors) + 1)

    def aliases(self, order: int = 2) -> dict[str, list[str]]:
        """Return, for each factor, the words of at most `order` factors that its main effect cannot be told from."""
        names, relation = list(self.factors), self.defining_words()
        found: dict[str, list[str]] = {}
        for place, name in enumerate(names):
            words = sorted((word ^ {place} for word in relation), key=lambda word: (len(word), sorted(word)))
            found[name] = []
            for word in words:
                if 0 < len(word) <= order:
                    found[name].append(" x ".join(names[other] for other in sorted(word)))
        return found

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return one arm a run."""
        check_factors(self.factors, space, self.method, self.base)
        check_two_levels(self.factors, self.method)
        self._check()
        cells = arms_of_runs(self.method, self.factors, self.runs(), {**self.base, **base})
        return distinct(cells, space, base)

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return the main effects; their names say what they are aliased with."""
        runs, names, aliases = self.runs(), list(self.factors), self.aliases()
        trained = arm_of_run(self.factors, runs, arms)
        found = []
        for place, name in enumerate(names):
            plain = effect(names, (place,), runs, trained)
            also = f" (aliased with {', '.join(aliases[name])})" if aliases[name] else ""
            found.append(
                Contrast(name=plain.name + also, weights=plain.weights, kind="effect", factor=name, level=plain.level)
            )
        return that_ask(found)

    def _check(self) -> None:
        if len(self.generators) > MOST_GENERATORS:
            raise RequestError(f"{self.called}: {len(self.generators)} generators; at most {MOST_GENERATORS}")
        for name, word in self.generators.items():
            if name not in self.factors:
                raise UnknownNameError(f"generated factor of {self.method}", name, self.factors)
            if len(set(word).intersection(self._basic)) != len(word):
                raise RequestError(
                    f"generator {name}={'*'.join(word)} of {self.method}: allowed are products of {self._basic}"
                )
        if self.generators and self.resolution < 3:
            raise RequestError(
                f"the fraction over {self.method} has resolution {self.resolution}: main effects are aliased with each "
                "other; generators must make it at least 3"
            )


def fractional_factorial(
    method: str,
    factors: Factors,
    generators: Mapping[str, Sequence[str]],
    base: Mapping[str, Value] | None = None,
) -> FractionalFactorial:
    """Train a 2^(k-p) fraction of the two-level factorial.

    Args:
        method: the method's name.
        factors: knob -> (low, high), or factor -> {label: {knob: value}} with two labels.
        generators: p factors, each as a product of basic ones, e.g. {"d": ("a", "b", "c")} for 2^(4-1).
        base: values of the other knobs.
    """
    return FractionalFactorial(method, factors, generators, {} if base is None else base)  # type: ignore[arg-type]
