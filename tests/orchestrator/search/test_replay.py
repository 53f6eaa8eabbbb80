"""Last bits of another processor make no other configuration, and anything more does."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.search.replay import CLOSE, KnownConfigurations

NUMBERS = st.floats(1e-6, 1e6)


@given(lr=NUMBERS, steps=st.integers(-3, 3))
def test_a_few_last_bits_are_the_same_configuration(lr, steps):
    other = lr
    for _ in range(abs(steps)):
        other = math.nextafter(other, math.inf if steps > 0 else 0.0)
    known = {"lr": lr, "loss": "reverse", "n": 3, "flag": True}
    if f"{lr:.5e}" == f"{other:.5e}":  # the bits cross a rounding border about once in a thousand million
        assert KnownConfigurations([known]).the_same({**known, "lr": other}) is known


@given(lr=NUMBERS, factor=st.floats(1 + 3 * CLOSE, 2.0))
def test_a_larger_difference_is_another_one(lr, factor):
    asked = {"lr": lr * factor}
    assert KnownConfigurations([{"lr": lr}]).the_same(asked) is asked


@pytest.mark.parametrize("change", [{"loss": "forward"}, {"n": 4}, {"flag": False}, {"more": 1.0}])
def test_everything_but_numbers_must_be_equal(change):
    known = {"lr": 0.1, "loss": "reverse", "n": 3, "flag": True}
    asked = {**known, **change}
    assert KnownConfigurations([known]).the_same(asked) is asked


def test_nothing_is_known_at_first_and_the_first_of_two_close_ones_wins():
    one, two = {"lr": 0.1}, {"lr": math.nextafter(0.1, 1.0)}
    assert KnownConfigurations().the_same(one) is one
    assert KnownConfigurations([one, two]).the_same(two) is one
