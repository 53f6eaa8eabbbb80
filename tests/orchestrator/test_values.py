"""Values: one form for whatever library's number it is, and one number for what prints alike."""

import json
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.values import as_text, decimal, plain

SCALARS = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | st.text(st.characters(exclude_categories=["Cs"])), lambda part: st.lists(part, max_size=4)
)


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        (np.bool_(True), True),
        (np.int8(3), 3),
        (np.uint64(7), 7),
        (np.float32(0.1), 0.1),
        (np.float16(0.1), 0.1),
        (np.float64(0.1), 0.1),
        (np.str_("a"), "a"),
        (np.array([1, 2]), (1, 2)),
        (np.array(2.5), 2.5),
        ([1, [2.0, None]], (1, (2.0, None))),
        (Decimal("0.1"), 0.1),
        (Fraction(1, 4), 0.25),
        (-0.0, 0.0),
        (1.2000000000000002, 1.2),
        (None, None),
    ],
)
def test_a_value_of_any_library_becomes_pythons_own(given_value, expected):
    found = plain(given_value)
    assert found == expected
    assert type(found) is type(expected)
    assert math.copysign(1, found) == 1 if isinstance(found, float) else True


@pytest.mark.parametrize(
    "wrong",
    [
        math.nan,
        math.inf,
        np.float32("nan"),
        2**63,
        10**100,
        object(),
        {1: 2},
        {1},
        b"x",
        1j,
        "\ud800",
        [math.nan],
        len,
    ],
)
def test_what_no_knob_can_hold_is_a_value_error(wrong):
    with pytest.raises(ValueError):
        plain(wrong)


@pytest.mark.parametrize(
    "levels",
    [
        np.arange(1, 1.45, 0.1),
        np.arange(0, 1, 0.01),
        np.arange(1, 10, 0.1),
        np.linspace(0, 1, 11),
        np.arange(2, 3, 0.05),
    ],
)
def test_sums_and_literals_that_print_alike_are_one_number(levels):
    assert [plain(level) for level in levels] == [float(f"{level:.6g}") for level in levels]


@given(st.floats(1e-6, 1e6), st.integers(1, 15))
def test_a_number_of_few_digits_stays_as_it_is(number, digits):
    short = float(f"{number:.{digits}g}")
    assert decimal(short) == short


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_moves_by_last_bits_at_most_and_only_once(number):
    assert math.isclose(decimal(number), number, rel_tol=1e-14, abs_tol=0)
    assert decimal(decimal(number)) == decimal(number)


@given(VALUES)
def test_json_gives_a_value_back(value):
    once = plain(value)
    assert plain(json.loads(json.dumps(once))) == once == plain(once)
    assert isinstance(as_text(once), str)
