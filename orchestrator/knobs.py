"""Knobs: the fields of a method's Config that are open to study, and the canonical form of a config."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from orchestrator.domains import Choice, Domain, Float, Int, ListOf, described, value_at
from orchestrator.errors import RequestError, UnknownNameError, shown
from orchestrator.values import Value, plain

__all__ = [
    "Choice",
    "Domain",
    "Float",
    "Int",
    "Knob",
    "ListOf",
    "Value",
    "canonical",
    "configured",
    "described",
    "identity",
    "knob",
    "knobs_of",
    "put_back",
    "value_at",
    "written",
]

BUDGET_FIELD = "n_epochs"
"""The field of every Config that is no knob: the budget stands beside the config in a trial_id."""


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
    since: int | None = None
    """The method's version that was there before the knob; None: the knob was there from the first version on."""
    costs: bool = False
    """Whether a trial takes time in proportion to the value, as with restarts: a price goes by it."""


def knob(
    default: Value,
    domain: Domain,
    *,
    fuses: bool = False,
    when: Mapping[str, tuple[Value, ...]] | None = None,
    since: int | None = None,
    costs: bool = False,
) -> Any:
    """Declare a knob where a dataclass field has its default.

    As in `lr: float = knob(0.1, Float(1e-3, 10, log=True), fuses=True)`, with a string below that says
    what it is. The default must lie in the domain; otherwise ValueError when the method's file is imported.

    A knob that is added to a method of version N, at a default that changes no number, says `since=N`: a trial at the
    default then keeps the id that it had before (`identity`), and the ledger's rows stay hits.
    With `costs=True` a trial takes time in proportion to the knob's value, which is a number above 0.
    """
    conditions = {other: tuple(plain(list(allowed))) for other, allowed in (when or {}).items()}  # type: ignore[arg-type]  # of a list a tuple
    if any(isinstance(allowed, str) for allowed in (when or {}).values()):
        raise ValueError(f"when={when!r}: a condition lists the values under which the knob matters")
    if since is not None and (isinstance(since, bool) or not isinstance(since, int) or since < 1):
        raise ValueError(f"since={since!r}: the version of the method to which the knob was added")
    if costs and not (isinstance(domain, Float | Int) and domain.low > 0 and not domain.also):
        raise ValueError(f"costs=True: time cannot be in proportion to {domain}")
    declared = Knob(domain.accept(default), domain, fuses, conditions, since, costs)
    return dataclasses.field(default=declared.default, metadata={"knob": declared})


def knobs_of(config: type) -> dict[str, Knob]:
    """Return the knobs of a Config class by name, in the order of declaration.

    Raises:
        RequestError: conditions on a knob that does not exist, or that lead back to the knob itself.
    """
    found = {field.name: field.metadata["knob"] for field in dataclasses.fields(config) if "knob" in field.metadata}
    for name in found:
        above = [name]
        for other in above:  # grows
            if other not in found:
                raise RequestError(f"knob {name!r} of {config.__name__} has a condition on {other!r}, which is no knob")
            above += [one for one in found[other].when if one not in above]
            if name in found[other].when:
                raise RequestError(f"knob {name!r} of {config.__name__} has a condition that hangs on itself")
    return found


def _accept(name: str, known: Knob, value: Value, owner: str) -> Value:
    try:
        return known.domain.accept(value)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise RequestError(f"{owner}.{name} = {shown(value)} is outside its domain: {known.domain}") from None


def written(space: Mapping[str, Knob], values: Mapping[str, Value], owner: str = "config") -> dict[str, Value]:
    """Return the values of all knobs checked and typed, as they were written: conditions are not looked at.

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
    return {name: _accept(name, known, values.get(name, known.default), owner) for name, known in space.items()}


def canonical(space: Mapping[str, Knob], values: Mapping[str, Value], owner: str = "config") -> dict[str, Value]:
    """Return the canonical values of all knobs: checked, typed, and back at the default where they have no effect.

    Arguments and errors are those of `written`.
    """
    return put_back(space, written(space, values, owner))


def put_back(space: Mapping[str, Knob], given: Mapping[str, Value]) -> dict[str, Value]:
    """Return written values of all knobs with those at their default that have no effect beside the others."""
    full: dict[str, Value] = {}

    def effective(name: str) -> Value:  # a condition may hang on a knob that itself is put back: that one comes first
        if name not in full:
            conditions = space[name].when.items()
            holds = all(effective(other) in allowed for other, allowed in conditions)
            full[name] = given[name] if holds else space[name].default
        return full[name]

    return {name: effective(name) for name in space}


def identity(space: Mapping[str, Knob], full: Mapping[str, Value]) -> dict[str, Value]:
    """Return a canonical config as it is part of a trial_id: without what came later and stands at its default."""
    found = {}
    for name, value in full.items():
        at_default = value == space[name].default and type(value) is type(space[name].default)
        if space[name].since is None or not at_default:
            found[name] = value
    return found


def configured(config: type, values: Mapping[str, Value], n_epochs: int, owner: str = "config") -> Any:
    """Return an instance of the Config class `config` with canonical `values` and the budget `n_epochs`."""
    full = canonical(knobs_of(config), values, owner)
    return cast(Any, config)(**full, **{BUDGET_FIELD: n_epochs})
