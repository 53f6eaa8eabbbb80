"""Add one in: the bare method, and the method with each of its components alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from orchestrator.designs.base import Arm
from orchestrator.designs.components import Component, Switched, one_switched
from orchestrator.knobs import Knob, Value

__all__ = ["AddOneIn", "add_one_in"]


@dataclass(frozen=True)
class AddOneIn(Switched):
    """See `add_one_in`; the baseline is the method without any component."""

    kind: ClassVar[str] = "add_one_in"

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return the bare method and one arm a component put in."""
        return one_switched(self, space, base, baseline_on=False)


def add_one_in(
    method: str, components: Mapping[str, Component] | Sequence[str], base: Mapping[str, Value] | None = None
) -> AddOneIn:
    """Put each component alone into the bare method.

    Args:
        method: the method's name.
        components: name -> `Component(on={...}, off={...})`; or names of knobs: on where they are
            True, and the part NAME of a switch `no_NAME` where that is False.
        base: values of the other knobs.
    """
    return AddOneIn(method, components, {} if base is None else base)  # type: ignore[arg-type]  # a dict then
