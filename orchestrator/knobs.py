"""Knobs: the fields of a method's Config that are open to study, their domains, and the canonical form of a config."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from orchestrator.errors import RequestError, UnknownNameError

__all__ = [
    "Choice",
    "Domain",
    "Float",
    "Int",
    "Knob",
    "Value",
    "canonical",
    "configured",
    "described",
    "knob",
    "knobs_of",
    "value_at",
]

Value: TypeAlias = float | int | str | bool
"""What a knob may hold: JSON scalars, so that a config has one canonical text."""

BUDGET_FIELD = "n_epochs"
"""The field of every Config that is no knob: the budget stands beside the config in a trial_id."""


@dataclass(frozen=True)
class Float:
    """A real interval [low, high]; `log` says that ratios matter; `also` admits single values outside it (0 = off)."""

    low: float
    high: float
    log: bool = False
    also: tuple[float, ...] = ()

    def accept(self, value: Value) -> float:
        """Return `value` as a float of this domain, or raise ValueError."""
        if isinstance(value, bool | str) or not math.isfinite(value):
            raise ValueError(value)
        number = float(value) + 0.0  # -0.0 becomes 0.0: equal values have one canonical text
        if not (self.low <= number <= self.high or number in self.also):
            raise ValueError(value)
        return number

    def ends(self) -> tuple[float, ...]:
        """Return the values at the border of the domain."""
        return (self.low, self.high, *self.also)

    def __str__(self) -> str:
        extra = "".join(f" or {value:g}" for value in self.also)
        return f"a number from {self.low:g} to {self.high:g}{extra}"


@dataclass(frozen=True)
class Int:
    """The whole numbers from low to high; `log` says that ratios matter."""

    low: int
    high: int
    log: bool = False
    also: tuple[int, ...] = ()

    def accept(self, value: Value) -> int:
        """Return `value` as an int of this domain, or raise ValueError."""
        if isinstance(value, bool | str) or value != int(value):
            raise ValueError(value)
        number = int(value)
        if not (self.low <= number <= self.high or number in self.also):
            raise ValueError(value)
        return number

    def ends(self) -> tuple[int, ...]:
        """Return the values at the border of the domain."""
        return (self.low, self.high, *self.also)

    def __str__(self) -> str:
        extra = "".join(f" or {value}" for value in self.also)
        return f"a whole number from {self.low} to {self.high}{extra}"


@dataclass(frozen=True, init=False)
class Choice:
    """A finite set of unordered options."""

    options: tuple[Value, ...]

    def __init__(self, *options: Value) -> None:
        object.__setattr__(self, "options", options)

    def accept(self, value: Value) -> Value:
        """Return the option equal to `value` in value and kind, or raise ValueError."""
        for option in self.options:
            if option == value and isinstance(option, bool) == isinstance(value, bool):
                return option
        raise ValueError(value)

    def ends(self) -> tuple[Value, ...]:
        """Return every option."""
        return self.options

    def __str__(self) -> str:
        return "one of " + ", ".join(str(option) for option in self.options)


Domain: TypeAlias = Float | Int | Choice


@dataclass(frozen=True)
class Knob:
    """One knob: default, domain, whether members of a bundle may differ in it, and when it has any effect.

    `when` maps another knob to the values under which this one matters; a knob whose condition does not hold goes
    back to its default in the canonical form, so that two configs that mean the same are one trial.
    """

    default: Value
    domain: Domain
    fuses: bool = False
    when: Mapping[str, tuple[Value, ...]] = dataclasses.field(default_factory=dict)


def knob(
    default: Value,
    domain: Domain,
    *,
    fuses: bool = False,
    when: Mapping[str, tuple[Value, ...]] | None = None,
) -> Any:
    """Declare a knob where a dataclass field has its default.

    As in `lr: float = knob(0.1, Float(1e-3, 10, log=True), fuses=True)`, with a string below that says
    what it is. The default must lie in the domain; otherwise ValueError when the method's file is imported.
    """
    declared = Knob(domain.accept(default), domain, fuses, dict(when or {}))
    return dataclasses.field(default=declared.default, metadata={"knob": declared})


def knobs_of(config: type) -> dict[str, Knob]:
    """Return the knobs of a Config class by name, in the order of declaration."""
    return {field.name: field.metadata["knob"] for field in dataclasses.fields(config) if "knob" in field.metadata}


def _accept(name: str, known: Knob, value: Value, owner: str) -> Value:
    try:
        return known.domain.accept(value)
    except (ValueError, TypeError, OverflowError):
        raise RequestError(f"{owner}.{name} = {value!r} is outside its domain: {known.domain}") from None


def canonical(space: Mapping[str, Knob], values: Mapping[str, Value], owner: str = "config") -> dict[str, Value]:
    """Return the canonical values of all knobs: checked, typed, and back at the default where they have no effect.

    Args:
        space: the knobs, from `knobs_of`.
        values: some or all of them; what is left out takes its default.
        owner: the method's name, for messages.

    Raises:
        UnknownNameError: a value for a knob that does not exist.
        RequestError: a value outside its domain.
    """
    for name in values:
        if name not in space:
            raise UnknownNameError(f"knob of {owner}", name, space)
    given = {name: _accept(name, known, values.get(name, known.default), owner) for name, known in space.items()}
    full: dict[str, Value] = {}

    def settle(name: str) -> Value:  # a condition may hang on a knob that itself is put back: settle that one first
        if name not in full:
            conditions = space[name].when.items()
            holds = all(settle(other) in allowed for other, allowed in conditions)
            full[name] = given[name] if holds else space[name].default
        return full[name]

    return {name: settle(name) for name in space}


def value_at(domain: Domain, unit: float) -> Value:
    """Return the value of a domain at a place in [0, 1]: linear or logarithmic, rounded for Int, a cell for Choice."""
    if isinstance(domain, Choice):
        return domain.options[min(int(unit * len(domain.options)), len(domain.options) - 1)]
    if domain.log:
        value = math.exp(math.log(domain.low) + unit * (math.log(domain.high) - math.log(domain.low)))
    else:
        value = domain.low + unit * (domain.high - domain.low)
    value = min(max(value, domain.low), domain.high)
    return round(value) if isinstance(domain, Int) else float(value)


def described(domain: Domain) -> dict[str, object]:
    """Return a domain as JSON: {"kind": "float" or "int", "low", "high", "log"} or {"kind": "choice", "options"}."""
    if isinstance(domain, Choice):
        return {"kind": "choice", "options": list(domain.options)}
    kind = "int" if isinstance(domain, Int) else "float"
    return {"kind": kind, "low": domain.low, "high": domain.high, "log": domain.log}


def configured(config: type, values: Mapping[str, Value], n_epochs: int, owner: str = "config") -> Any:
    """Return an instance of the Config class `config` with canonical `values` and the budget `n_epochs`."""
    full = canonical(knobs_of(config), values, owner)
    return cast(Any, config)(**full, **{BUDGET_FIELD: n_epochs})
