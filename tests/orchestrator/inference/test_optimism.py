"""Oracle optimism by hand, and its bias in a search in which no configuration is better."""

from __future__ import annotations

import math

import numpy as np
import pytest

from orchestrator.errors import RequestError
from orchestrator.inference.optimism import optimism_of_configurations, optimism_of_epochs


def test_configurations_by_hand():
    table = [[0.5, 0.6, 0.7], [0.8, 0.6, 0.7], [0.9, math.nan, 0.9]]
    found = optimism_of_configurations(table, chosen=0)
    assert found.oracle == 1 and found.gain == pytest.approx(0.1)
    assert found.gains == pytest.approx([0.3, 0.0, 0.0])
    # without seed 0 the first two tie and the first is taken: no gain on seed 0; without 1 or 2 row 1 leads
    assert found.crossed_gain == pytest.approx(0.0)
    assert optimism_of_configurations(table, chosen=1).gain == 0.0
    with pytest.raises(RequestError, match="configuration 2"):
        optimism_of_configurations(table, chosen=2)


def test_the_gain_of_equal_configurations_is_biased_and_the_crossed_one_is_not():
    random = np.random.default_rng(0)
    found = [optimism_of_configurations(random.normal(0.6, 0.05, (30, 4)), 0) for _ in range(300)]
    assert np.mean([one.gain for one in found]) > 0.04
    crossed = np.array([one.crossed_gain for one in found])
    assert abs(crossed.mean()) < 3.5 * crossed.std() / math.sqrt(len(crossed))


def test_epochs_by_hand():
    found = optimism_of_epochs([[0.5, 0.9, 0.6], [0.1, math.nan, 0.3], [math.nan] * 3], chosen=[2, 2, 2])
    assert found.gains[:2] == pytest.approx([0.3, 0.0]) and math.isnan(found.gains[2])
    assert found.gain == pytest.approx(0.15)
    assert found.oracle is None and not found.interval.attainable
