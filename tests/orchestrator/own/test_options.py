"""Knobs and options of declared methods are checked where they are written."""

from __future__ import annotations

import pytest

from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.knobs import Choice, Float, Int, knob
from orchestrator.own.options import Common, knobs_from, made


def test_a_domain_alone_takes_the_default_that_is_known_from_elsewhere():
    space = knobs_from({"lr": Float(0, 1), "k": knob(3, Int(1, 9))}, {"lr": 0.5}, "mine")
    assert {name: one.default for name, one in space.items()} == {"lr": 0.5, "k": 3}


@pytest.mark.parametrize(
    ("knobs", "defaults", "says"),
    [
        ({"lr": Float(0, 1)}, {}, r"the default of knob 'lr' is not known; write knob\(DEFAULT, Float"),
        ({"lr": Float(0, 1)}, {"lr": 2.0}, "the default of knob 'lr', 2.0, is outside its domain"),
        ({"n_epochs": Int(1, 9)}, {}, "a knob cannot be named 'n_epochs'"),
        ({"a b": Int(1, 9)}, {}, "a knob cannot be named 'a b'"),
        ({"lr": 3}, {}, "not allowed"),
        ({"lr": knob(1, Int(1, 2), when={"on": (True,)})}, {}, "knob in a condition on 'lr' of mine 'on'"),
    ],
)
def test_what_is_no_knob_is_refused(knobs, defaults, says):
    with pytest.raises(RequestError, match=says):
        knobs_from(knobs, defaults, "mine")


def test_options_are_known_by_name():
    with pytest.raises(UnknownNameError, match="unknown option of method 'tolerence'; the nearest: tolerance"):
        made(Common, {"tolerence": 0.1}, name="mine")
    with pytest.raises(RequestError, match="fact of a metric"):
        made(Common, {"metrics": {"mine": {"read_labels": True}}}, name="mine")


def test_conditions_between_knobs_hold():
    space = knobs_from(
        {"on": Choice(True, False), "lr": knob(0.1, Float(0, 1), when={"on": (True,)})}, {"on": True}, "m"
    )
    assert dict(space["lr"].when) == {"on": (True,)}
