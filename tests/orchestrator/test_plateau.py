"""Stopping at a plateau: a pure function of a curve, and a text that gives the rule back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import RequestError
from orchestrator.plateau import Plateau, StopRule

FALLING = StopRule(Plateau(metric="loss", patience=2), larger_is_better=False)


def ends_after(rule, curve):
    """The number of values at which a rule says that training ends; None: never."""
    return next((n for n in range(1, len(curve) + 1) if rule.reached(curve[:n])), None)


@pytest.mark.parametrize(
    ("curve", "epoch"),
    [
        ([5, 4, 3, 2, 1], None),
        ([5, 4, 4, 4, 4], 4),
        ([5, 5, 5], 3),
        ([5, 6, 4, 6, 6], 5),
        ([math.nan, math.nan, math.nan], 3),
        ([math.nan, 5, 4, 3], None),
        ([5, math.nan, math.nan], 3),
        ([5, 4], None),
    ],
)
def test_a_trial_ends_when_nothing_has_improved_for_some_epochs(curve, epoch):
    assert ends_after(FALLING, curve) == epoch


def test_an_improvement_has_to_be_as_large_as_asked_for():
    tenth = StopRule(Plateau(patience=1, least=0.1), larger_is_better=False)
    assert ends_after(tenth, [10.0, 8.9, 8.2, 7.0]) == 3
    assert ends_after(tenth, [-10.0, -11.5, -12.0]) == 3


def test_larger_may_be_better_and_some_epochs_are_trained_in_any_case():
    rising = StopRule(Plateau(metric="neighbour_mi", patience=2, after=5), larger_is_better=True)
    assert ends_after(rising, [3, 3, 3, 3, 3, 3, 3]) == 6
    assert ends_after(rising, [1, 2, 3, 4, 5, 6, 7]) is None


@given(st.lists(st.floats(-1e6, 1e6), max_size=12), st.integers(1, 4), st.booleans())
def test_the_rule_is_read_back_and_says_the_same(curve, patience, larger):
    rule = StopRule(Plateau(patience=patience, least=0.01), larger)
    again = StopRule.read(rule.written)
    assert again == rule
    assert again.reached(curve) is rule.reached(curve)
    assert again.reached([-value for value in curve]) is StopRule(rule.plateau, not larger).reached(curve)


@pytest.mark.parametrize("text", ["", "3", "{}", '{"plateau": {"speed": 1}, "larger_is_better": true}', "[", "null"])
def test_what_is_no_rule_is_a_value_error(text):
    with pytest.raises(ValueError):
        StopRule.read(text)


@pytest.mark.parametrize("fields", [{"metric": ""}, {"patience": 0}, {"patience": 2.5}, {"least": -1}, {"after": -1}])
def test_a_wrong_field_is_one_line(fields):
    with pytest.raises(RequestError, match="Plateau: "):
        Plateau(**fields)
