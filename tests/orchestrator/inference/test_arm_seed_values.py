"""One table for run and report: what every trial is to the judge."""

from __future__ import annotations

import math

import numpy as np
import pytest

from orchestrator.errors import RequestError
from orchestrator.inference.arm_seed_values import ArmSeedValues, Outcome


def test_complete_collapsed_failed_and_absent_trials_are_told_apart():
    outcomes = [
        Outcome(arm="a", seed=0, state="complete", value=0.5),
        Outcome(arm="a", seed=1, state="complete", value=0.1, collapsed=True),
        Outcome(arm="a", seed=2, state="failed", failure_kind="diverged"),
        Outcome(arm="a", seed=3, state="failed", failure_kind="infrastructure"),
        Outcome(arm="a", seed=4, state="pruned", value=0.3),
        Outcome(arm="a", seed=5, state="complete"),
    ]
    table = ArmSeedValues.of(outcomes, ["a", "never"], range(6))
    assert np.array_equal(table.works[0], [1.0, 0.0, 0.0, math.nan, math.nan, math.nan], equal_nan=True)
    assert np.array_equal(table.values[0], [0.5, 0.1] + [math.nan] * 4, equal_nan=True)
    assert np.isnan(table.works[1]).all()
    assert table.by_seed() == {"a": {0: 0.5, 1: 0.1}, "never": {}}
    assert table.collapsed_by_seed() == {"a": {0: False, 1: True}, "never": {}}


def test_seeds_keep_the_order_in_which_they_were_asked_for():
    outcomes = [Outcome(arm="a", seed=seed, state="complete", value=float(seed)) for seed in (5, 1, 3, 9)]
    assert ArmSeedValues.of(outcomes, ["a"]).seeds == (1, 3, 5, 9)
    table = ArmSeedValues.of(outcomes, ["a"], [3, 1, 7])
    assert table.seeds == (3, 1, 7) and table.by_seed() == {"a": {3: 3.0, 1: 1.0}}
    assert table.until(1).seeds == (3,) and table.until(1).works.shape == (1, 1)


def test_a_seed_that_is_asked_for_twice_is_refused():
    with pytest.raises(RequestError, match=r"\[1, 1\]"):
        ArmSeedValues.of([], ["a"], [1, 1])


def test_numbers_that_are_no_trials_are_laid_out_alike():
    table = ArmSeedValues.of_mappings(
        {"a": {0: 1.0, 1: math.nan}, "b": {0: 2.0}},
        {"b": {0: True}},
        failed={"b": [1]},
        drawn={"a": {0: ["x"]}},
    )
    assert table.arms == ("a", "b") and table.drawn == {"a": {0: ["x"]}}
    assert np.array_equal(table.works, [[1.0, math.nan], [0.0, 0.0]], equal_nan=True)
