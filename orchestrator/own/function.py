"""A function is a method: `@trainable(...) def train(config, seed, report)`, or with `data` as a fourth argument.

It trains one trial from beginning to end and calls `report(epoch=3, loss=0.2, nmi=0.7)` on the way. `data` has the
points of the study's dataset (`x`, `x_test`, `n_clusters`) and no labels; `report(assignments=...)`, the cluster of
each point, is scored where the labels are, and `report(weights=...)` names arrays that a study with `keep=` keeps.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar, overload

from orchestrator.errors import RequestError
from orchestrator.own.declared import PREDICTS, Declared
from orchestrator.own.options import Common, knobs_from, made, name_or
from orchestrator.own.python_object import code_of_object, place_of

__all__ = ["declared_object", "trainable"]

Function = TypeVar("Function", bound=Callable[..., Any])

TAKES = ("config", "seed", "report")

ASSIGNS = ("config", "weights", "x")


@dataclass(frozen=True, kw_only=True)
class _Function(Common):
    kind: ClassVar[str] = "trainable"

    predict: Any = None
    """Assigns new points."""


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
        options: `n_epochs`, `metrics`, `gpus`, `cores`, `tolerance`, `version`, as of `command`; `predict`, a function
            `assign(config, weights, x)` that returns the cluster of each new point, from the arrays that the last
            `report(weights={...})` named.

    Raises:
        RequestError: one line that names the value and what is allowed.
    """

    def declare(given: Any) -> Any:
        found = made(_Function, options, name=name_or(name, getattr(given, "__name__", "trainable")))
        takes = _arguments(given, found.called, (TAKES, (*TAKES, "data")))
        declared = declared_object(found, given, "function", knobs_from(knobs or {}, {}, found.called), takes)
        given.declared = declared if found.predict is None else _predicting(declared, found)
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
    where, code = _where(place, found.called)
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


def _where(place: Mapping[str, str], who: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return where an object is, as `taken` reads it, and the files that it is made of."""
    code = code_of_object(place, who)
    if "file" not in place:
        return dict(place), code
    where = {"name": place["name"], "label": Path(place["file"]).name}
    code.setdefault(where["label"], place["file"])
    return where, code


def _predicting(declared: Declared, found: _Function) -> Declared:
    """Return a declaration with the function that assigns new points, which is no part of a trial's id."""
    who = f"{found.called}: predict"
    _arguments(found.predict, who, (ASSIGNS,))
    where, code = _where(place_of(found.predict, who), who)
    for label, path in code.items():
        if declared.code.get(label, path) != path:
            raise RequestError(f"{who}: it is in another file of the name {label!r}; put it beside {found.name}")
    return replace(declared, asks={**declared.asks, PREDICTS: where}, code={**code, **declared.code})


def _arguments(given: Any, who: str, allowed: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    try:
        names = tuple(inspect.signature(given).parameters)
    except (TypeError, ValueError):
        names = ()
    if names not in allowed:
        forms = " or ".join(f"({', '.join(form)})" for form in allowed)
        raise RequestError(f"{who}: ({', '.join(names)}) are its arguments; allowed: {forms}")
    return names
