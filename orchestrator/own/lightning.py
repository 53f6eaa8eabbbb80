"""A Lightning module is a method: built with its knobs, fitted by a Trainer, its logged numbers are the metrics."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from orchestrator.allowed import allowed, mapping, value
from orchestrator.errors import RequestError, UnknownNameError, shown
from orchestrator.own.declared import MethodName
from orchestrator.own.function import declared_object
from orchestrator.own.options import KNOBS, Common, knobs_from, made, name_or

__all__ = ["lightning"]


@dataclass(frozen=True, kw_only=True)
class _Lightning(Common):
    kind: ClassVar[str] = "lightning"

    trainer: Mapping[str, Any] = field(default_factory=dict, metadata=allowed(mapping(value(), "argument -> value")))
    """Further arguments of the Trainer."""


def lightning(module: Any, *, knobs: Mapping[str, object], name: str = "", **options: object) -> MethodName:
    """Return the method that a Lightning module is.

    It is built as `module(**knobs)`, with `data=` (`x`, `x_test`, `n_clusters`) where its constructor takes that, and
    fitted by `Trainer(max_epochs=n_epochs)`; the seed is in place before. What it logs is reported at the end of each
    training epoch. If it has a method `assignments()`, the cluster of each point is scored where the labels are.

    Args:
        module: the class; `train_dataloader` is its own.
        knobs: arguments of its constructor -> `knob(DEFAULT, DOMAIN)`, or a domain alone where it has the default.
        name: of the method; empty: that of the class.
        options: `n_epochs`, `trainer` (further arguments of the Trainer), `metrics`, `gpus`, `cores`, `tolerance`,
            `version`.

    Raises:
        RequestError: one line that names the value and what is allowed.
    """
    if not isinstance(module, type) or not hasattr(module, "training_step"):
        raise RequestError(f"lightning: {shown(module)} is not allowed; it is a class of a LightningModule")
    found = made(_Lightning, options, name=name_or(name, module.__name__))
    parameters = inspect.signature(module).parameters
    for knob in KNOBS.accept(knobs, f"{found.called}: knobs"):
        if knob not in parameters and not any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
            raise UnknownNameError(f"argument of {module.__name__}", knob, list(parameters))
    defaults = {one.name: one.default for one in parameters.values() if one.default is not one.empty}
    space = knobs_from(knobs, defaults, found.called)
    takes = ("data",) if "data" in parameters else ()
    return MethodName(declared_object(found, module, "lightning", space, takes, trainer=dict(found.trainer)))
