"""Knobs: domains, canonical configs, and the one line that a wrong value ends in."""

from dataclasses import dataclass, make_dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.knobs import Choice, Float, Int, canonical, configured, knob, knobs_of


@dataclass(frozen=True, kw_only=True)
class Config:
    n_epochs: int = 3
    loss: str = knob("reverse", Choice("reverse", "renyi"))
    order: float = knob(1.0, Float(0.1, 10.0, log=True), fuses=True, when={"loss": ("renyi",)})
    rate: float = knob(0.1, Float(0.01, 1.0, also=(0.0,)), fuses=True, when={"order": (1.0, 2.0)})
    heads: int = knob(1, Int(1, 10))
    flag: bool = knob(False, Choice(False, True))


SPACE = knobs_of(Config)


def test_a_knob_whose_condition_does_not_hold_goes_back_to_its_default():
    assert canonical(SPACE, {"order": 5.0})["order"] == 1.0
    assert canonical(SPACE, {"order": 5.0, "loss": "renyi"})["order"] == 5.0


def test_conditions_are_followed_through_other_conditions():
    # order=5 is inert under the reverse loss, goes back to 1.0, and so rate stays in effect
    assert canonical(SPACE, {"order": 5.0, "rate": 0.5})["rate"] == 0.5
    assert canonical(SPACE, {"order": 5.0, "rate": 0.5, "loss": "renyi"})["rate"] == 0.1


@pytest.mark.parametrize("domain", [Choice(1, 2), Float(0.0, 1.0), Int(1, 3, also=(None,))])
def test_time_is_in_proportion_to_numbers_above_zero_only(domain):
    assert knobs_of(make_dataclass("C", [("restarts", int, knob(2, Int(1, 9), costs=True))]))["restarts"].costs
    with pytest.raises(ValueError, match="time cannot be in proportion"):
        knob(1, domain, costs=True)


def test_equal_values_have_one_canonical_form():
    assert canonical(SPACE, {"rate": 0, "heads": 2.0}) == canonical(SPACE, {"rate": -0.0, "heads": 2})
    assert isinstance(canonical(SPACE, {"heads": 2.0})["heads"], int)
    assert isinstance(canonical(SPACE, {"rate": 1})["rate"], float)


@given(st.dictionaries(st.sampled_from(["rate", "heads", "flag"]), st.sampled_from([0.0, 0.05, 1, 2, True, False])))
def test_canonical_is_idempotent_whatever_it_accepts(values):
    try:
        once = canonical(SPACE, values)
    except RequestError:
        return
    assert canonical(SPACE, once) == once


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("rate", 2.0, "a number from 0.01 to 1 or 0"),
        ("rate", float("nan"), "a number from"),
        ("rate", "much", "a number from"),
        ("heads", 1.5, "a whole number from 1 to 10"),
        ("heads", True, "a whole number"),
        ("loss", "mse", "one of reverse, renyi"),
        ("flag", 1, "one of False, True"),
    ],
)
def test_a_value_outside_its_domain_is_named_with_what_is_allowed(name, value, allowed):
    with pytest.raises(RequestError) as caught:
        canonical(SPACE, {name: value}, "entropy")
    assert f"entropy.{name}" in str(caught.value)
    assert allowed in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_knob_is_named_with_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"'speed'.*flag, heads, loss, order, rate"):
        canonical(SPACE, {"speed": 1}, "entropy")


def test_a_default_outside_its_domain_is_refused_when_the_file_is_imported():
    with pytest.raises(ValueError):
        knob(20.0, Float(0.0, 1.0))


def test_configured_carries_the_budget_beside_the_knobs():
    config = configured(Config, {"heads": 3}, 7)
    assert (config.heads, config.n_epochs, config.rate) == (3, 7, 0.1)
