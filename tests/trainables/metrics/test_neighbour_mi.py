from __future__ import annotations

import numpy as np
import pytest
import torch

from trainables.metrics import neighbour_mi

HEAPS = torch.arange(4.0).repeat_interleave(25)[:, None] * 100
POINTS = HEAPS + torch.rand(100, 1, generator=torch.Generator().manual_seed(0))
TRUE = np.arange(4).repeat(25)


def test_it_rewards_agreement_with_every_cluster_used(scored) -> None:
    assert neighbour_mi.compute(scored(TRUE, TRUE, points=POINTS)) == pytest.approx(np.log(4))
    assert neighbour_mi.compute(scored(TRUE // 2, TRUE, 4, points=POINTS)) == pytest.approx(np.log(2))


def test_one_cluster_has_nothing(scored) -> None:
    assert list(neighbour_mi.compute(scored(TRUE * 0, TRUE, points=POINTS))) == [0.0]
