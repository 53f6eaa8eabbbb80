"""Samples of a knob space for screening designs: points of the unit cube, and the arms that they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from orchestrator.allowed import Rule, instance, many, mapping, optional, text
from orchestrator.designs.base import Arm, Role
from orchestrator.domains import Choice, Domain, Float, Int, narrowed, value_at
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.knobs import Knob, Value, canonical

__all__ = ["OVER", "arms_of_sample", "checked_ranges", "narrowed_ranges", "problem"]

Ranges = Mapping[str, Domain | None]


def checked_ranges(ranges: Ranges, space: Mapping[str, Knob], method: str) -> dict[str, Domain]:
    """Return the sampled ranges: as given, or the knobs' own domains.

    Raises:
        UnknownNameError: no such knob.
        RequestError: a range outside its knob's domain, or fewer than two knobs.
    """
    if len(ranges) < 2:
        raise RequestError(f"the screening design over {method} is empty; it needs at least two knobs")
    return narrowed_ranges(ranges, space, method)


def narrowed_ranges(ranges: Ranges, space: Mapping[str, Knob], method: str) -> dict[str, Domain]:
    """Return the ranges of some knobs as given, or the knobs' own domains without single values outside.

    Raises:
        UnknownNameError: no such knob.
        RequestError: a range of another kind, or outside its knob's domain.
    """
    for name in ranges:
        if name not in space:
            raise UnknownNameError(f"knob of {method}", name, space)
    return {name: narrowed(space[name].domain, given, f"{method}.{name}") for name, given in ranges.items()}


def _names_as_ranges(given: object, where: str) -> dict[str, Domain | None]:
    named = dict.fromkeys(NAMES.accept(given, where)) if isinstance(given, list | tuple) else given
    found: dict[str, Domain | None] = RANGES.convert(named, where)
    return found


NAMES = many(text("the name of a knob"), "names of different knobs", distinct=True)

RANGES = mapping(
    optional(instance((Float, Int, Choice), "Float(...), Int(...) or Choice(...)")), "knob -> range, or names of knobs"
)

OVER = Rule("knob -> range (None: its domain), or a tuple of knobs' names", _names_as_ranges)


def problem(ranges: Sequence[str]) -> dict[str, object]:
    """Return SALib's problem definition over the unit cube."""
    return {"num_vars": len(ranges), "names": list(ranges), "bounds": [[0.0, 1.0]] * len(ranges)}


def arms_of_sample(
    method: str,
    sample: NDArray[np.float64],
    domains: Mapping[str, Domain],
    start: Mapping[str, Value],
    space: Mapping[str, Knob],
) -> tuple[Arm, ...]:
    """Return the arms of a sample (rows x knobs, in the unit cube), equal configurations once.

    An arm's `level` lists the rows of the sample that it stands for, comma separated: the indices need them all.
    """
    rows: dict[tuple[object, ...], list[int]] = {}
    values: dict[tuple[object, ...], dict[str, Value]] = {}
    for index, row in enumerate(sample):
        point = dict(start)
        for (name, domain), share in zip(domains.items(), row, strict=True):
            point[name] = value_at(domain, float(share))
        key: tuple[object, ...] = tuple(canonical(space, point, method).items())
        rows.setdefault(key, []).append(index)
        values[key] = point
    arms = []
    for key, where in rows.items():
        name, level = f"{method} point {where[0]}", ",".join(map(str, where))
        role: Role = "level" if where[0] else "baseline"
        arms.append(Arm(name=name, method=method, values=values[key], role=role, factor="sample", level=level))
    return tuple(arms)
