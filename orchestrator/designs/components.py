"""Components that a method has or has not: what leave_one_out and add_one_in take away and put in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.designs.base import Arm, check_distinct
from orchestrator.errors import RequestError
from orchestrator.knobs import Knob, Value, canonical

__all__ = ["Component", "Components", "check_components", "one_switched"]


@dataclass(frozen=True)
class Component:
    """A part of a method: the knob values that put it in, and those that take it away."""

    on: Mapping[str, Value]
    off: Mapping[str, Value]


Components = Mapping[str, Component]


def check_components(components: Components, space: Mapping[str, Knob], method: str) -> None:
    """Refuse an empty list of components, and values outside their domains.

    Raises:
        RequestError: one line that names the value and what is allowed.
    """
    if not components:
        raise RequestError(f"the design over {method} is empty; it needs at least one component")
    for component in components.values():
        canonical(space, component.on, method)
        canonical(space, component.off, method)


def merged(start: Mapping[str, Value], components: Components, switched: Mapping[str, bool]) -> dict[str, Value]:
    """Return the values of a configuration in which each component is on or off."""
    values = dict(start)
    for name, component in components.items():
        values.update(component.on if switched[name] else component.off)
    return values


def one_switched(
    method: str, components: Components, start: Mapping[str, Value], space: Mapping[str, Knob], *, baseline_on: bool
) -> tuple[Arm, ...]:
    """Return the baseline (all components on, or all off) and one arm per component switched the other way."""
    check_components(components, space, method)
    same = dict.fromkeys(components, baseline_on)
    arms = [Arm(name="baseline", method=method, values=merged(start, components, same), role="baseline")]
    word = "without" if baseline_on else "only"
    for name in components:
        values = merged(start, components, {**same, name: not baseline_on})
        arms.append(Arm(name=f"{word} {name}", method=method, values=values, factor=name, level=word))
    return check_distinct(arms, space)
