"""What a knob may hold, and the one form of it: equal values have one text, and so one trial_id."""

from __future__ import annotations

import json
import math
import numbers
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

__all__ = ["Value", "as_text", "decimal", "plain"]

Value: TypeAlias = "float | int | str | bool | tuple[Value, ...] | None"
"""JSON scalars, null and lists (as tuples, which can be compared and looked up)."""

DIGITS = 9
"""A number that is this close to a decimal of so many digits, but for last bits, is that decimal."""

LAST_BITS = 1e-14
"""Relative error of a few additions and products; of numbers drawn at random one in a million lies so near."""

LARGEST = 2**63


def plain(value: object) -> Value:
    """Return a value as Python's own, whatever library's number it is; arrays and lists become tuples.

    Raises:
        ValueError: a knob cannot hold it: not finite, no scalar, or a whole number of more than 63 bits.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        value.encode()  # a lone surrogate is no text: UnicodeEncodeError is a ValueError
        return str(value)
    if isinstance(value, list | tuple):
        return tuple(plain(part) for part in value)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic | numpy.ndarray):
        return plain(_of_numpy(numpy, value))
    if isinstance(value, numbers.Integral):
        whole = int(value)
        if abs(whole) >= LARGEST:
            raise ValueError(value)
        return whole
    if isinstance(value, float | Decimal | Fraction):
        return decimal(float(value))
    raise ValueError(value)


def _of_numpy(numpy: Any, value: Any) -> object:
    """Return a scalar or an array of NumPy as Python's; a short float as the number that it prints as."""
    if isinstance(value, numpy.ndarray):
        return tuple(value) if value.ndim else value[()]
    if isinstance(value, numpy.bool_):
        return bool(value)
    if isinstance(value, numpy.integer):
        return int(value)
    if isinstance(value, numpy.floating):
        return float(str(value)) if value.itemsize < 8 else float(value)
    raise ValueError(value)


def decimal(number: float) -> float:
    """Return a finite number without the last bits that sums and products leave: 1.2000000000000002 is 1.2.

    Numbers that print alike are one value then, and -0.0 is 0.0. A number with more digits stays as it is.

    Raises:
        ValueError: it is not finite.
    """
    if not math.isfinite(number):
        raise ValueError(number)
    short = float(f"{number:.{DIGITS}g}")
    return (short if abs(short - number) <= LAST_BITS * abs(number) else number) + 0.0


def as_text(value: Value) -> str:
    """Return a value as people write it: 0.1, none, [64, 64]."""
    if isinstance(value, tuple):
        return json.dumps(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
