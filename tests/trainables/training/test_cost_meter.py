"""Wall time is divided among the members that trained, and the peak memory is that since the bundle began."""

from __future__ import annotations

import time

import pytest
import torch

from trainables.training.cost_meter import Costs


def test_time_is_shared_by_those_who_trained_and_by_nobody_else() -> None:
    costs = Costs(3, torch.device("cpu"))
    with costs.charged([0, 2]):
        time.sleep(0.02)
    time.sleep(0.02)
    assert costs.seconds[1] == 0.0 and costs.seconds[0] == costs.seconds[2] >= 0.01
    assert costs.of(0) == {
        "seconds": costs.seconds[0],
        "peak_memory_bytes": pytest.approx(costs.peak_memory_bytes(), rel=0.1),
        "gpu_seconds": 0.0,
    }


def test_time_is_charged_also_when_training_raises() -> None:
    costs = Costs(1, torch.device("cpu"))
    with pytest.raises(ValueError, match="wrong"), costs.charged([0]):
        time.sleep(0.01)
        raise ValueError("wrong")
    assert costs.seconds[0] >= 0.01


def test_the_peak_covers_memory_that_was_given_back_and_what_came_before() -> None:
    costs = Costs(1, torch.device("cpu"))
    before = costs.peak_memory_bytes()
    block = torch.ones(40_000_000)
    del block
    assert costs.peak_memory_bytes() >= before + 100_000_000
    costs.earlier_peak = 10**15
    assert costs.peak_memory_bytes() == 10**15
