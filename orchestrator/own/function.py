"""A function is a method: `@trainable(...) def train(config, seed, report)`, or with `data` as a fourth argument.

It trains one trial from beginning to end and calls `report(epoch=3, loss=0.2, nmi=0.7)` on the way. `data` has the
points of the study's dataset (`x`, `x_test`, `n_clusters`) and no labels; `report(assignments=...)`, the cluster of
each point, is scored where the labels are.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar, overload

from orchestrator.errors import RequestError
from orchestrator.own.declared import Declared
from orchestrator.own.options import Common, knobs_from, made
from orchestrator.own.python_object import code_of_object, place_of

__all__ = ["declared_object", "trainable"]

Function = TypeVar("Function", bound=Callable[..., Any])

TAKES = ("config", "seed", "report")


@dataclass(frozen=True, kw_only=True)
class _Function(Common):
    kind: ClassVar[str] = "trainable"


@overload
def trainable(function: Function) -> Function: ...


@overload
def trainable(
    *, knobs: Mapping[str, object] | None = None, name: str = "", **options: object
) -> Callable[[Function], Function]: ...


def trainable(
    function: Any = None, *, knobs: Mapping[str, object] | None = None, name: str = "", **options: object
) -> Any:
    """Make a function a method, which designs take in place of a method's name; it can be called as before.

    Args:
        function: `train(config, seed, report)`, or `train(config, seed, report, data)` to be given the study's points.
        knobs: name -> `knob(DEFAULT, DOMAIN)`; they are attributes of `config`, beside `n_epochs`.
        name: of the method; empty: the function's.
        options: `n_epochs`, `metrics`, `gpus`, `cores`, `tolerance`, `version`, as of `command`.

    Raises:
        RequestError: one line that names the value and what is allowed.
    """

    def declare(given: Any) -> Any:
        found = made(_Function, options, name=name or getattr(given, "__name__", "trainable"))
        takes = _arguments(given, found.called)
        given.declared = declared_object(found, given, "function", knobs_from(knobs or {}, {}, found.called), takes)
        return given

    return declare if function is None else declare(function)


def declared_object(
    found: Common, given: Any, adapter: str, knobs: Mapping[str, Any], takes: tuple[str, ...], **asks: Any
) -> Declared:
    """Return the declaration of a method that a Python object is.

    Args:
        found: what is said of it.
        given: the function or class.
        adapter: the module of `trainables.adapters` that trains it.
        knobs: its knobs.
        takes: names of the arguments that it takes.
        asks: what else the adapter goes by.
    """
    place = place_of(given, found.called)
    code = code_of_object(place, found.called)
    if "file" in place:
        where = {"name": place["name"], "label": Path(place["file"]).name}
        code.setdefault(where["label"], place["file"])
    else:
        where = place
    return Declared(
        name=found.name,
        adapter=adapter,
        knobs=knobs,
        asks={**where, "takes": list(takes), **asks},
        folder=str(Path(place["file"]).parent if "file" in place else Path.cwd()),
        code=code,
        metrics=found.metrics,
        n_epochs=found.n_epochs,
        version=found.version,
        takes_data="data" in takes,
        takes_dataset="data" in takes,
        takes_epochs=True,
        gpus=found.gpus,
        cores=found.cores,
        tolerance=found.tolerance,
    )


def _arguments(given: Any, who: str) -> tuple[str, ...]:
    try:
        names = tuple(inspect.signature(given).parameters)
    except (TypeError, ValueError):
        names = ()
    if names not in (TAKES, (*TAKES, "data")):
        raise RequestError(
            f"{who}: ({', '.join(names)}) are its arguments; allowed: (config, seed, report), or with data as a fourth"
        )
    return names
