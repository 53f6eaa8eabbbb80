"""The spread that a plan takes from rows that are there: of paired differences, over the seeds that all arms have."""

import numpy as np
import pytest

from orchestrator.designs.base import Contrast
from orchestrator.plan.power import paired_spread

VS = Contrast(name="b vs a", weights={"b": 1.0, "a": -1.0}, factor="f", level="b")


def test_the_spread_is_that_of_differences_on_seeds_that_both_arms_have():
    values = {"a": {0: 1.0, 1: 2.0, 2: 4.0, 9: 0.0}, "b": {0: 2.0, 1: 5.0, 2: 5.0}}
    spread = paired_spread([VS], values)
    assert spread is not None
    assert spread.sd == pytest.approx(np.std([1.0, 3.0, 1.0], ddof=1))


@pytest.mark.parametrize("values", [{}, {"a": {0: 1.0}}, {"a": {0: 1.0, 1: 2.0}, "b": {1: 1.0}}])
def test_fewer_than_two_pairs_say_nothing(values):
    assert paired_spread([VS], values) is None
    assert paired_spread([], values) is None
