"""What every design is made of: arms, contrasts, and the class that turns factors into them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from orchestrator.allowed import Checked, Rule, either, instance, many, mapping, text, value
from orchestrator.errors import RequestError, UnknownNameError, shown
from orchestrator.knobs import Knob, Value, canonical, put_back, written
from orchestrator.own.declared import MethodName, declaration_of
from orchestrator.trial import canonical_json
from orchestrator.values import as_text

if TYPE_CHECKING:
    from orchestrator.designs.search import Search

__all__ = [
    "BASE",
    "DESIGN",
    "FACTORS",
    "METHOD",
    "Arm",
    "Contrast",
    "Design",
    "Factors",
    "Levels",
    "against_baseline",
    "distinct",
    "levels_of",
    "named",
    "that_ask",
]

Role: TypeAlias = Literal["baseline", "level", "rival"]

Levels: TypeAlias = Sequence[Value] | Mapping[str, Mapping[str, Value]]
"""A factor's levels: values of the knob of that name, or labels with the several knobs that each one sets."""

Factors: TypeAlias = Mapping[str, Levels]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One configuration of a design. `values` are what it sets; all else is at the Config's default."""

    name: str
    method: str
    values: Mapping[str, Value] = field(default_factory=dict)
    role: Role = "level"
    factor: str = ""
    level: str = ""
    also: tuple[str, ...] = ()
    """Names of further cells of the design that mean this configuration, since what they set has no effect there."""


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A weighted sum of arms' metrics, taken seed by seed: what a verdict is about.

    `difference`: a level minus the baseline; `trend`: over ordered levels; `effect` and `interaction`: of factorials.
    Weights of a difference are +1 and -1, so that its unit is the metric's.
    """

    name: str
    weights: Mapping[str, float]
    kind: Literal["difference", "trend", "effect", "interaction"] = "difference"
    factor: str = ""
    level: str = ""


NAMED = text("the name of a method")


def _method(given: object, where: str) -> str:
    if isinstance(given, str) and given.startswith("sklearn:"):
        from orchestrator.own.estimator import estimator  # looks at scikit-learn, which few studies need for that

        given = estimator(given)
    declared = declaration_of(given)
    return NAMED.accept(given, where) if declared is None else MethodName(declared)


METHOD = Rule("the name of a method, or a method that the file declares: command(...), trainable(...)", _method)

BASE = mapping(value(), "knob -> value")

FACTORS = mapping(
    either(
        mapping(mapping(value(), "knob -> value"), "label -> {knob: value}"),
        many(value(), "a list of values, or label -> {knob: value}"),
    ),
    "factor -> levels: a list of values of the knob of that name, or label -> {knob: value}",
)


class Design(Checked, ABC):
    """Factors -> arms: what every design inherits, a frozen dataclass with a field `method` and, mostly, `base`.

    Finite: what `arms` and `contrasts` return depends on the space and the base alone, never on results. A search is a
    design without arms. Who plans, runs or reports asks a design what it is by these properties and by nothing else.
    """

    kind: ClassVar[str]
    """The name of the design, as study.json says it: that of its file."""

    @property
    def called(self) -> str:  # type: ignore[override]  # read only
        """The design as messages name it."""
        return f"{self.kind} over {self.method}" if isinstance(self.method, str) else self.kind

    method: str
    """Name of the method whose knobs are varied."""

    @property
    @abstractmethod
    def knobs(self) -> tuple[str, ...]:
        """Names of the knobs that are varied."""

    @property
    @abstractmethod
    def most_arms(self) -> int:
        """How many arms it has at most: known without making them."""

    @abstractmethod
    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return the arms, baseline first. `base` (what a search chose) comes on top of the design's own base."""

    @abstractmethod
    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return what is to be tested between these arms; empty for designs that are described, not tested."""

    @property
    def sets(self) -> Mapping[str, Value]:
        """What the design sets for all of its arms."""
        found: Mapping[str, Value] = getattr(self, "base", {})
        return found

    @property
    def search(self) -> Search | None:
        """The search that this design is, or waits for: its choice is the base of the arms."""
        return None

    @property
    def starts_from(self) -> str:
        """Name of the earlier study whose search chose the base of the arms; empty: there is none."""
        return ""

    def with_base(self, values: Mapping[str, Value]) -> Design | None:
        """Return the design with `values` on top of what it sets for all of its arms; None: it sets nothing."""
        if not hasattr(self, "base"):
            return None
        changed: Design = replace(self, base={**self.sets, **values})  # type: ignore[type-var]  # a dataclass
        return changed

    def with_search(self, change: Callable[[Search], Search]) -> Design:
        """Return the design with its search changed; one that has none is returned as it is."""
        return self

    def starting_from(self, rename: Callable[[str], str]) -> Design:
        """Return the design with the earlier study that it starts from renamed (a tier has records of its own)."""
        return self

    def described(self) -> dict[str, object]:
        """Return what study.json says of the design: its kind, its method, and what an analysis has to know."""
        return {"kind": self.kind, "method": self.method, "knobs": list(self.knobs)}


DESIGN = instance(Design, "a design of orchestrator.designs, such as one_factor(...)")


def levels_of(factor: str, levels: Levels) -> Iterator[tuple[str, dict[str, Value]]]:
    """Yield (label, knob values) of each level of a factor; values that print alike in short are written in full."""
    if isinstance(levels, Mapping):
        for label, values in levels.items():
            yield label, dict(values)
        return
    short = Counter(map(as_text, dict.fromkeys(levels)))
    for level in levels:
        label = as_text(level)
        yield label if short[label] == 1 else str(level), {factor: level}


def varied(factors: Factors) -> tuple[str, ...]:
    """Return the names of the knobs that the levels of `factors` set, in order of appearance."""
    found: dict[str, None] = {}
    for name, levels in factors.items():
        for _, values in levels_of(name, levels):
            found.update(dict.fromkeys(values))
    return tuple(found)


def against_baseline(arms: Sequence[Arm]) -> tuple[Contrast, ...]:
    """Return one difference to the baseline for every other arm."""
    baseline = next(arm for arm in arms if arm.role == "baseline")
    found = []
    for arm in arms:
        if arm.role != "baseline":
            name, weights = f"{arm.name} vs {baseline.name}", {arm.name: 1.0, baseline.name: -1.0}
            found.append(Contrast(name=name, weights=weights, factor=arm.factor, level=arm.level))
    return tuple(found)


def that_ask(contrasts: Iterable[Contrast]) -> tuple[Contrast, ...]:
    """Return the contrasts that ask something: an arm that is trained for every cell of a factor leaves no weight."""
    return tuple(contrast for contrast in contrasts if contrast.weights)


def check_factors(
    factors: Factors, space: Mapping[str, Knob], method: str, base: Mapping[str, Value] | None = None
) -> None:
    """Refuse an empty design, an unknown factor, and a level outside its domain.

    Args:
        factors: what is varied.
        space: the method's knobs.
        method: for messages.
        base: what is set for all arms, where no arm has anything else than levels: it may name none of the factors.

    Raises:
        RequestError: one line that names the value and what is allowed.
    """
    if not factors or not all(map(len, factors.values())):
        raise RequestError(f"the design over {method} is empty; it needs at least one factor with one level")
    for name, levels in factors.items():
        if not isinstance(levels, Mapping) and name not in space:
            raise UnknownNameError(f"factor of {method}", name, space)
        for _, values in levels_of(name, levels):
            canonical(space, values, method)
            for knob in values:
                if base is not None and knob in base:
                    raise RequestError(f"{method}.{knob} = {shown(base[knob])} is set, and varied by the design too")


def distinct(arms: Iterable[Arm], space: Mapping[str, Knob], chosen: Mapping[str, Value]) -> tuple[Arm, ...]:
    """Return the arms, those that mean the same configuration as one that carries the names of the others.

    Cells differ on paper but not in what is trained where a knob has no effect (a weight of a term that is off), or
    where a search chose a level. What was written twice is a mistake.

    Args:
        arms: the cells of a design, baseline first.
        space: the method's knobs.
        chosen: what a search chose, on top of the design's base.

    Raises:
        RequestError: names two cells that are written the same, or says that nothing is left to compare.
    """
    cells = list(arms)
    kept: dict[str, Arm] = {}
    seen: dict[str, str] = {}
    for arm in cells:
        values = written(space, arm.values, arm.method)
        means, asked = canonical_json(put_back(space, values)), canonical_json(values)
        if asked in seen and not chosen:
            raise _twins(arm, seen[asked])
        seen.setdefault(asked, arm.name)
        known = kept.get(means)
        kept[means] = arm if known is None else replace(known, also=(*known.also, arm.name))
    if len(kept) == 1 < len(cells) and not chosen:
        raise _twins(cells[1], cells[0].name)
    return tuple(kept.values())


def named(arms: Sequence[Arm]) -> dict[str, str]:
    """Return the name of every cell of a design -> the name of the arm that is trained for it."""
    found = {}
    for arm in arms:
        for name in (arm.name, *arm.also):
            found[name] = arm.name
    return found


def _twins(arm: Arm, other: str) -> RequestError:
    return RequestError(
        f"arm {shown(arm.name)} of {arm.method} is the same configuration as {shown(other)}; levels must differ from "
        "the baseline and from each other"
    )
