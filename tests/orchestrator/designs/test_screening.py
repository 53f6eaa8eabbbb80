"""Samples of the unit cube become values of domains, and equal configurations one arm."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.designs.screening import arms_of_sample, checked_ranges, value_at
from orchestrator.errors import RequestError
from orchestrator.knobs import Choice, Float, Int


def test_places_in_the_unit_interval_are_linear_logarithmic_rounded_or_cells():
    assert value_at(Float(0.0, 4.0), 0.25) == 1.0
    assert value_at(Float(0.01, 1.0, log=True), 0.5) == pytest.approx(0.1)
    assert [value_at(Int(1, 4), u) for u in (0.0, 0.5, 1.0)] == [1, 2, 4]
    assert [value_at(Choice("a", "b"), u) for u in (0.0, 0.49, 0.5, 1.0)] == ["a", "a", "b", "b"]


def test_ends_of_the_interval_never_leave_the_domain():
    for domain in (Float(1e-5, 0.1, log=True), Float(0.1, 0.3), Int(1, 50, log=True)):
        for u in (0.0, 1.0):
            domain.accept(value_at(domain, u))


def test_rows_that_mean_one_configuration_are_one_arm_that_knows_its_rows(space):
    sample = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.05], [0.0, 1.0]])
    domains = checked_ranges({"weight": None, "every": None}, space, "entropy")
    arms = arms_of_sample("entropy", sample, domains, {"lr": 0.5}, space)
    assert [arm.level for arm in arms] == ["0", "1", "2", "3"] or [arm.level for arm in arms] == ["0,2", "1", "3"]
    assert sorted(int(row) for arm in arms for row in arm.level.split(",")) == [0, 1, 2, 3]
    assert arms[0].role == "baseline" and {arm.values["lr"] for arm in arms} == {0.5}


@pytest.mark.parametrize(
    ("ranges", "says"),
    [
        ({}, "needs at least two knobs"),
        ({"weight": None}, "needs at least two knobs"),
        ({"weight": None, "speed": None}, "unknown knob of entropy 'speed'"),
        ({"weight": Float(0.0, 20.0), "lr": None}, "the range of entropy.weight ends at 20.0, outside"),
    ],
)
def test_wrong_ranges_are_refused_in_one_line(space, ranges, says):
    with pytest.raises(RequestError, match=says):
        checked_ranges(ranges, space, "entropy")
