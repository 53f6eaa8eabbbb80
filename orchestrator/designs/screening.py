"""Samples of a knob space for screening designs: points of the unit cube, and the arms that they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from orchestrator.designs.base import Arm
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.knobs import Domain, Knob, Value, canonical, value_at

__all__ = ["arms_of_sample", "checked_ranges", "problem"]

Ranges = Mapping[str, Domain | None]


def checked_ranges(ranges: Ranges, space: Mapping[str, Knob], method: str) -> dict[str, Domain]:
    """Return the sampled ranges: as given, or the knobs' own domains.

    Raises:
        UnknownNameError: no such knob.
        RequestError: a range outside its knob's domain, or fewer than two knobs.
    """
    if len(ranges) < 2:
        raise RequestError(f"the screening design over {method} is empty; it needs at least two knobs")
    found: dict[str, Domain] = {}
    for name, given in ranges.items():
        if name not in space:
            raise UnknownNameError(f"knob of {method}", name, space)
        domain = given if given is not None else space[name].domain
        for end in domain.ends()[:2]:
            canonical(space, {name: end}, method)
        found[name] = domain
    return found


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
        point = {name: value_at(domain, float(u)) for (name, domain), u in zip(domains.items(), row, strict=True)}
        full = canonical(space, {**start, **point}, method)
        key = tuple(full.items())
        rows.setdefault(key, []).append(index)
        values[key] = {**start, **point}
    return tuple(
        Arm(
            name=f"{method} point {where[0]}",
            method=method,
            values=values[key],
            role="level" if where[0] else "baseline",
            factor="sample",
            level=",".join(map(str, where)),
        )
        for key, where in rows.items()
    )
