"""Add one in: the bare method, and the method with each of its components alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from orchestrator.designs.base import Arm, Contrast, Design, against_baseline
from orchestrator.designs.components import Component, Components, one_switched
from orchestrator.knobs import Knob, Value

__all__ = ["AddOneIn", "add_one_in"]


@dataclass(frozen=True)
class AddOneIn(Design):
    """See `add_one_in`; the baseline is the method without any component."""

    kind: ClassVar[str] = "add_one_in"

    method: str
    components: Components
    base: Mapping[str, Value] = field(default_factory=dict)

    @property
    def knobs(self) -> tuple[str, ...]:
        """The knobs that components switch."""
        return tuple(dict.fromkeys(knob for c in self.components.values() for knob in (*c.on, *c.off)))

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return the bare method and one arm a component put in."""
        return one_switched(self.method, self.components, {**self.base, **base}, space, baseline_on=False)

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return each arm's difference to the baseline."""
        return against_baseline(arms)


def add_one_in(method: str, components: Mapping[str, Component], base: Mapping[str, Value] | None = None) -> AddOneIn:
    """Put each component alone into the bare method.

    Args:
        method: the method's name.
        components: name -> `Component(on={...}, off={...})`.
        base: values of the other knobs.
    """
    return AddOneIn(method, dict(components), dict(base or {}))
