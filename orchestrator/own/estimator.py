"""A clusterer with `fit_predict` is a method: scikit-learn's by name (`sklearn:HDBSCAN`), any other by its class."""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from orchestrator.domains import Choice, Domain, Float, Int
from orchestrator.errors import RequestError, UnknownNameError, shown
from orchestrator.knobs import Knob
from orchestrator.own.declared import MethodName
from orchestrator.own.function import declared_object
from orchestrator.own.options import KNOBS, Common, knobs_from, made, name_or

__all__ = ["SKLEARN", "estimator"]

SKLEARN = "sklearn:"

MODULES = ("sklearn.cluster", "sklearn.mixture")

N_CLUSTERS = ("n_clusters", "n_components")
"""How many clusters: as many as the dataset says, if a study says nothing else."""

NO_KNOBS = ("random_state", "n_jobs", "verbose", "verbose_interval", "memory", "copy", "copy_x", "warm_start", "cv")

LARGEST, LEAST = 1e9, 1e-12
"""The ends of a range that scikit-learn leaves open."""

WITH_NONE = (None,)


@dataclass(frozen=True, kw_only=True)
class _Estimator(Common):
    kind: ClassVar[str] = "estimator"


def estimator(what: Any, *, knobs: Mapping[str, object] | None = None, name: str = "", **options: object) -> MethodName:
    """Return the method that a clusterer is: built with its knobs, and with the seed as `random_state` if it takes one.

    Points that it calls noise (-1) are one more cluster to the scores; their share is `diagnostic.noise`.

    Args:
        what: "sklearn:NAME", or a class with `fit_predict(x)`, or with `fit(x)` and `labels_`.
        knobs: arguments of its constructor -> `knob(DEFAULT, DOMAIN)`, or a domain alone; of scikit-learn's all others
            are knobs too, over the values that scikit-learn accepts.
        name: of the method; empty: that of the class.
        options: `metrics`, `gpus`, `cores`, `tolerance`, `version`, as of `command`.

    Raises:
        UnknownNameError: scikit-learn has no such clusterer.
        RequestError: one line that names the value and what is allowed.
    """
    kind = _of_sklearn(what) if isinstance(what, str) else what
    if not isinstance(kind, type) or not (hasattr(kind, "fit_predict") or hasattr(kind, "fit")):
        raise RequestError(
            f"estimator: {shown(kind)} is not allowed; it is 'sklearn:NAME' or a class with fit_predict(x)"
        )
    found = made(_Estimator, options, name=name_or(name, kind.__name__))
    parameters = _parameters(kind)
    knobs = KNOBS.accept(knobs or {}, f"{found.called}: knobs")
    for knob in knobs:
        if parameters and knob not in parameters and None not in parameters:
            raise UnknownNameError(f"argument of {kind.__name__}", knob, [one for one in parameters if one])
    defaults = {one: default for one, default in parameters.items() if one and default is not inspect.Parameter.empty}
    given = knobs_from(knobs, defaults, found.called)
    space = {**dict(_knobs_of_sklearn(kind, defaults)), **given}
    for one in N_CLUSTERS:
        if one in parameters and one not in given:
            space[one] = Knob(None, Int(1, 100_000, also=(None,)))
    return MethodName(
        declared_object(
            found, kind, "estimator", space, ("data",), seeded="random_state" in parameters,
            counts=[one for one in N_CLUSTERS if one in parameters],
        )
    )  # fmt: skip


def _of_sklearn(what: str) -> Any:
    prefix, _, name = what.partition(":")
    if f"{prefix}:" != SKLEARN:
        raise RequestError(f"estimator {what!r} is not allowed; it is 'sklearn:NAME' or a class with fit_predict(x)")
    known = {}
    for module in map(importlib.import_module, MODULES):
        for one in module.__all__:
            if isinstance(kind := getattr(module, one), type) and hasattr(kind, "fit_predict"):
                known[one] = kind
    if name not in known:
        raise UnknownNameError("clusterer of scikit-learn", name, known)
    return known[name]


def _parameters(kind: type) -> dict[str | None, Any]:
    """Return the arguments of a class -> their defaults; None among them: it takes any."""
    found: dict[str | None, Any] = {}
    for name, one in inspect.signature(kind).parameters.items():
        if one.kind is one.VAR_KEYWORD:
            found[None] = one.empty
        elif one.kind is not one.VAR_POSITIONAL:
            found[name] = one.default
    return found


def _knobs_of_sklearn(kind: Any, defaults: Mapping[str, Any]) -> Iterator[tuple[str, Knob]]:
    """Yield the arguments that scikit-learn says the allowed values of, where a knob can say them too."""
    for name, allowed in getattr(kind, "_parameter_constraints", {}).items():
        if name in NO_KNOBS or name not in defaults or not isinstance(allowed, list):
            continue
        domain = _domain(allowed)
        if domain is None:
            continue
        try:
            yield name, Knob(domain.accept(defaults[name]), domain)
        except (ValueError, TypeError, OverflowError):
            continue


def _domain(allowed: list[Any]) -> Domain | None:
    """Return the domain of what scikit-learn allows: one interval, or some texts, or a bool, each with None."""
    intervals = [one for one in allowed if type(one).__name__ == "Interval"]
    options = [value for one in allowed if type(one).__name__ in ("StrOptions", "Options") for value in one.options]
    none = WITH_NONE if None in allowed else ()
    if "boolean" in allowed and not intervals:
        return Choice(False, True, *sorted(options), *none)
    if options and not intervals:
        return Choice(*sorted(options), *none)
    if len(intervals) != 1 or options:
        return None
    (interval,) = intervals
    low, high = _end(interval.left, -1), _end(interval.right, 1)
    if interval.type.__name__ == "Integral":
        return Int(math.ceil(low) + (interval.closed in ("right", "neither")), math.floor(high), also=none)
    if interval.closed in ("right", "neither") and low == 0:
        low = LEAST
    return Float(low, high, also=none)


def _end(value: float | None, sign: int) -> float:
    return sign * LARGEST if value is None or math.isinf(value) else float(value)
