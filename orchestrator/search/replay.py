"""Configurations of a ledger, found again by a search that another processor replays.

A sampler's logarithms and exponentials differ in their last bits from one processor to another, and one bit makes
another trial_id. A proposal that is a configuration of the ledger but for such bits therefore is that configuration.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from orchestrator.knobs import Value

__all__ = ["CLOSE", "KnownConfigurations"]

CLOSE = 1e-9
"""Relative difference of two numbers that are taken for one: last bits are 1e-16, knobs matter from 1e-3 or so."""

DIGITS = 6
"""Significant digits by which candidates are looked up; two close numbers share them but in one case of a thousand
million, which costs a trial that is trained again."""


class KnownConfigurations:
    """Canonical configurations of one method.

    Args:
        configurations: in the order in which the first of several close ones wins.
    """

    def __init__(self, configurations: Iterable[Mapping[str, Value]] = ()) -> None:
        self._known: dict[tuple[object, ...], Mapping[str, Value]] = {}
        for values in configurations:
            self._known.setdefault(_key(values), values)

    def __len__(self) -> int:
        """Return how many different ones there are."""
        return len(self._known)

    def the_same(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """Return the known configuration that these values are but for last bits; else the values."""
        found = self._known.get(_key(values))
        return values if found is None or not _close(found, values) else found


def _key(values: Mapping[str, Value]) -> tuple[object, ...]:
    return tuple((name, _rounded(value)) for name, value in sorted(values.items()))


def _rounded(value: Value) -> object:
    return f"{value:.{DIGITS - 1}e}" if isinstance(value, float) else value


def _close(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    for name, value in other.items():
        if isinstance(value, float):
            if not math.isclose(one[name], value, rel_tol=CLOSE):  # type: ignore[arg-type]  # keys agree, so types do
                return False
        elif one[name] != value:
            return False
    return True
