"""Leave one out: the whole method, and the method without each of its components in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from orchestrator.designs.base import Arm, Contrast, Design, against_baseline
from orchestrator.designs.components import Component, Components, one_switched
from orchestrator.knobs import Knob, Value

__all__ = ["LeaveOneOut", "leave_one_out"]


@dataclass(frozen=True)
class LeaveOneOut(Design):
    """See `leave_one_out`; the baseline is the method with every component."""

    kind: ClassVar[str] = "leave_one_out"

    method: str
    components: Components
    base: Mapping[str, Value] = field(default_factory=dict)

    @property
    def knobs(self) -> tuple[str, ...]:
        """The knobs that components switch."""
        return tuple(dict.fromkeys(knob for c in self.components.values() for knob in (*c.on, *c.off)))

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return the whole method and one arm a component taken away."""
        return one_switched(self.method, self.components, {**self.base, **base}, space, baseline_on=True)

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return each arm's difference to the baseline."""
        return against_baseline(arms)


def leave_one_out(
    method: str, components: Mapping[str, Component], base: Mapping[str, Value] | None = None
) -> LeaveOneOut:
    """Take each component away from the whole method.

    Args:
        method: the method's name.
        components: name -> `Component(on={...}, off={...})`.
        base: values of the other knobs.
    """
    return LeaveOneOut(method, dict(components), dict(base or {}))
