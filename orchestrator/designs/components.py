"""Components that a method has or has not: what leave_one_out and add_one_in take away and put in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.allowed import Checked, Rule, allowed, instance, many, mapping, text
from orchestrator.designs.base import BASE, METHOD, Arm, Contrast, Design, against_baseline, distinct
from orchestrator.errors import RequestError
from orchestrator.knobs import Knob, Value, canonical

__all__ = ["COMPONENTS", "Component", "Components", "Switched", "check_components", "one_switched"]


@dataclass(frozen=True)
class Component(Checked):
    """A part of a method: the knob values that put it in, and those that take it away."""

    on: Mapping[str, Value] = field(metadata=allowed(BASE))
    off: Mapping[str, Value] = field(metadata=allowed(BASE))


Components = Mapping[str, Component]

NEGATIONS = ("no_", "no-", "without_", "without-", "disable_", "disable-")
"""How the name of a switch begins that takes a part away, such as `--no-pretrain`."""

_NAMES = many(text("the name of a knob"), "a list of names of knobs, all different", distinct=True)


def _components() -> Rule:
    """Return the rule of components by name; of a list each knob is a component (`_switch`)."""
    by_name = mapping(instance(Component, "Component(on={...}, off={...})"), "name -> Component(on={...}, off={...})")

    def convert(given: Any, where: str) -> Components:
        if isinstance(given, list | tuple):
            found = dict(map(_switch, _NAMES.convert(given, where)))
            if len(found) < len(given):
                raise ValueError(given)
            return found
        return by_name.convert(given, where)  # type: ignore[no-any-return]  # a dictionary of components

    return Rule(f"{by_name.says}, or {_NAMES.says}", convert)


def _switch(knob: str) -> tuple[str, Component]:
    """Return the component that a knob switches, by name: on where it is True; of `no_NAME` NAME, on where it is False.

    A whole method is one without `--no-pretrain`: taken by its word, `no_pretrain` would have the parts in that it
    takes away.
    """
    for negation in NEGATIONS:
        if knob.startswith(negation) and len(knob) > len(negation):
            return knob.removeprefix(negation), Component(on={knob: False}, off={knob: True})
    return knob, Component(on={knob: True}, off={knob: False})


COMPONENTS = _components()


@dataclass(frozen=True)
class Switched(Design):
    """A design over components, one of them switched in each arm."""

    method: str = field(metadata=allowed(METHOD))
    components: Components = field(metadata=allowed(COMPONENTS))
    base: Mapping[str, Value] = field(default_factory=dict, metadata=allowed(BASE))

    @property
    def knobs(self) -> tuple[str, ...]:
        """The knobs that components switch."""
        found: dict[str, None] = {}
        for component in self.components.values():
            found.update(dict.fromkeys([*component.on, *component.off]))
        return tuple(found)

    @property
    def most_arms(self) -> int:
        """1 + the number of components."""
        return 1 + len(self.components)

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return each arm's difference to the baseline."""
        return against_baseline(arms)


def check_components(components: Components, space: Mapping[str, Knob], method: str) -> None:
    """Refuse an empty list of components, and values outside their domains.

    Raises:
        RequestError: one line that names the value and what is allowed.
    """
    if not components:
        raise RequestError(f"the design over {method} is empty; it needs at least one component")
    for name, component in components.items():
        for values in (component.on, component.off):
            _require_switches(name, values, space, method)
            canonical(space, values, method)


def _require_switches(component: str, values: Mapping[str, Value], space: Mapping[str, Knob], method: str) -> None:
    """Refuse True or False for a knob that is neither, as of a list of names that has a number among them.

    Raises:
        RequestError: says what to write.
    """
    for knob, value in values.items():
        if isinstance(value, bool) and knob in space and not _accepts(space[knob], value):
            raise RequestError(
                f"component {component!r} of {method}: knob {knob!r} is not True or False but {space[knob].domain}; "
                f"say which value puts the part in and which takes it away: {{'{component}': "
                f"Component(on={{'{knob}': ...}}, off={{'{knob}': ...}})}}"
            )


def _accepts(knob: Knob, value: Value) -> bool:
    try:
        knob.domain.accept(value)
    except ValueError:
        return False
    return True


def merged(start: Mapping[str, Value], components: Components, switched: Mapping[str, bool]) -> dict[str, Value]:
    """Return the values of a configuration in which each component is on or off."""
    values = dict(start)
    for name, component in components.items():
        values.update(component.on if switched[name] else component.off)
    return values


def one_switched(
    design: Switched, space: Mapping[str, Knob], chosen: Mapping[str, Value], *, baseline_on: bool
) -> tuple[Arm, ...]:
    """Return the baseline (all components on, or all off) and one arm per component switched the other way."""
    method, components, start = design.method, design.components, {**design.base, **chosen}
    check_components(components, space, method)
    same = dict.fromkeys(components, baseline_on)
    arms = [Arm(name="baseline", method=method, values=merged(start, components, same), role="baseline")]
    word = "without" if baseline_on else "only"
    for name in components:
        values = merged(start, components, {**same, name: not baseline_on})
        arms.append(Arm(name=f"{word} {name}", method=method, values=values, factor=name, level=word))
    return distinct(arms, space, chosen)
