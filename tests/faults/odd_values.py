"""Values that nobody meant, and an oracle of what a field may hold that knows nothing of the rules it judges."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from orchestrator.errors import RequestError

Oracle = Callable[[Any], bool]

LONG = 10**400


class Odd:
    """An object whose text cannot be had."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


NUMBERS = st.one_of(
    st.integers(-3, 30),
    st.integers(),
    st.floats(),
    st.floats(0.0, 1.5),
    st.sampled_from([0, 1, -1, 10**6, 10**12, LONG, 1e308, math.nan, math.inf, -math.inf, -0.0, 5e-324, 3.0, 2.5]),
    st.sampled_from(
        [np.int64(5), np.uint8(3), np.float32(0.5), np.float64("nan"), np.float16(2), Fraction(1, 3), Decimal("2")]
    ),
)
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", "nmi", "digits", "entropy", "local", "\ud800", "a\x00b", "x" * 10_000, "[/red]", "../x", "1"]
    ),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([np.bool_(True), np.bool_(False)]),
    NUMBERS,
    TEXTS,
    st.binary(max_size=4),
    st.sampled_from([1j, len, int, range(3), ..., NotImplemented, np.array([1, 2]), np.array(3), np.zeros((2, 2))]),
    st.just(0).map(lambda _: Odd()),
)
ODD = st.recursive(
    SCALARS,
    lambda part: st.one_of(
        st.lists(part, max_size=3),
        st.lists(part, max_size=2).map(tuple),
        st.dictionaries(st.one_of(TEXTS, st.integers(0, 3), st.none()), part, max_size=3),
    ),
    max_leaves=5,
)


def is_number(value: Any) -> bool:
    """A finite real number of any library that a float64 holds; a truth value is none."""
    if isinstance(value, bool | np.bool_ | str | bytes | complex) or value is None:
        return False
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and is_number(value[()])
    if not isinstance(value, int | float | Fraction | Decimal | np.integer | np.floating):
        return False
    if isinstance(value, int) and abs(value) >= 2**63:
        return False
    return math.isfinite(float(value))


def whole(low: int, high: int) -> Oracle:
    """Whole numbers within bounds; 3.0 is one."""
    return lambda value: is_number(value) and float(value).is_integer() and low <= float(value) <= high


def between(low: float, high: float, *, ends: bool) -> Oracle:
    """Numbers within bounds."""
    return lambda value: is_number(value) and (low <= float(value) <= high if ends else low < float(value) < high)


def text(value: Any, *, empty: bool = False, most: int = 300, lines: bool = False) -> bool:
    """A text that can be printed and written."""
    if not isinstance(value, str) or len(value) > most or not (empty or value.strip()):
        return False
    if not lines and re.search(r"[\n\t\u2028\u2029]", value):
        return False
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", value):
        return False
    return not re.search(r"[\ud800-\udfff]", value)


def flag(value: Any) -> bool:
    """True or False."""
    return isinstance(value, bool | np.bool_) or (isinstance(value, np.ndarray) and value.ndim == 0 and flag(value[()]))


def or_none(oracle: Oracle) -> Oracle:
    """None, or what an oracle allows."""
    return lambda value: value is None or oracle(value)


def listed(oracle: Oracle, least: int = 0, *, distinct: bool = False) -> Oracle:
    """A list, tuple, range or array of one dimension of what an oracle allows."""

    def allows(value: Any) -> bool:
        if isinstance(value, np.ndarray):
            parts = list(value) if value.ndim else None
        else:
            parts = list(value) if isinstance(value, list | tuple | range) else None
        if parts is None or len(parts) < least or not all(map(oracle, parts)):
            return False
        return not distinct or len(set(parts)) == len(parts)

    return allows


def knob_value(value: Any) -> bool:
    """What a knob may hold: JSON without objects."""
    if value is None or flag(value) or is_number(value):
        return True
    if isinstance(value, str):
        return not re.search(r"[\ud800-\udfff]", value)
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim):
        return all(map(knob_value, value))
    return False


def mapped(oracle: Oracle, least: int = 0) -> Oracle:
    """A mapping from texts to what an oracle allows."""
    return lambda value: (
        isinstance(value, Mapping) and len(value) >= least and all(text(k) and oracle(v) for k, v in value.items())
    )


def or_refused(make: Callable[[], Any], *, names: str, expected: bool | None = None) -> Any:
    """Return what is made, or None if it was refused in one line that names the place.

    Args:
        make: makes it.
        names: what the line has to name.
        expected: whether it has to be made; None: that cannot be told.
    """
    try:
        made = make()
    except RequestError as error:
        line = str(error)
        assert "\n" not in line, line
        assert line.isprintable(), repr(line)
        assert names in line, (names, line)
        assert len(line) < 2_000, len(line)
        assert expected is not True, line
        return None
    assert expected is not False, made
    return made
