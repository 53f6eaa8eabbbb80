"""Leave one out: the whole method, and the method without each of its components in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from orchestrator.designs.base import Arm
from orchestrator.designs.components import Component, Switched, one_switched
from orchestrator.knobs import Knob, Value

__all__ = ["LeaveOneOut", "leave_one_out"]


@dataclass(frozen=True)
class LeaveOneOut(Switched):
    """See `leave_one_out`; the baseline is the method with every component."""

    kind: ClassVar[str] = "leave_one_out"

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return the whole method and one arm a component taken away."""
        return one_switched(self, space, base, baseline_on=True)


def leave_one_out(
    method: str, components: Mapping[str, Component] | Sequence[str], base: Mapping[str, Value] | None = None
) -> LeaveOneOut:
    """Take each component away from the whole method.

    Args:
        method: the method's name.
        components: name -> `Component(on={...}, off={...})`; or names of knobs: on where they are
            True, and the part NAME of a switch `no_NAME` where that is False.
        base: values of the other knobs.
    """
    return LeaveOneOut(method, components, {} if base is None else base)  # type: ignore[arg-type]  # a dict then
