"""A single configuration: a rival beside the design, or a study that asks only for a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from orchestrator.allowed import allowed, text
from orchestrator.designs.base import BASE, METHOD, Arm, Contrast, Design
from orchestrator.knobs import Knob, Value, canonical

__all__ = ["Fixed", "fixed"]


NAME = text("a name of the arm; values are given by name: fixed('entropy', network='mlp')", empty=True)


@dataclass(frozen=True)
class Fixed(Design):
    """One arm; see `fixed`."""

    kind: ClassVar[str] = "fixed"

    method: str = field(metadata=allowed(METHOD))
    values: Mapping[str, Value] = field(default_factory=dict, metadata=allowed(BASE))
    name: str = field(default="", metadata=allowed(NAME))

    @property
    def sets(self) -> Mapping[str, Value]:
        """The configuration itself."""
        return self.values

    def with_base(self, values: Mapping[str, Value]) -> Fixed:
        """Return the configuration with `values` on top."""
        return replace(self, values={**self.values, **values})

    @property
    def knobs(self) -> tuple[str, ...]:
        """None is varied."""
        return ()

    @property
    def most_arms(self) -> int:
        """One."""
        return 1

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return the one arm."""
        values = {**self.values, **base}
        canonical(space, values, self.method)
        return (Arm(name=self.name or self.method, method=self.method, values=values, role="baseline"),)

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return nothing: a single arm has nothing to be compared with."""
        return ()


def fixed(method: str, name: str = "", **values: Value) -> Fixed:
    """Train one configuration of a method, at its defaults but for `values`."""
    return Fixed(method, values, name)
