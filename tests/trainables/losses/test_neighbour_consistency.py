"""SCAN's loss against torch's binary cross-entropy and the entropy of the mean, and its limits."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from trainables.losses.neighbour_consistency import neighbour_consistency


def soft(seed: int) -> Tensor:
    return (2 * torch.randn(2, 9, 4, generator=torch.Generator().manual_seed(seed))).softmax(2)


def test_consistency_is_the_cross_entropy_of_agreeing_and_the_entropy_that_of_the_mean() -> None:
    anchors, neighbours = soft(0), soft(1)
    consistency, entropy = neighbour_consistency(anchors, neighbours)
    for m in range(2):
        agreement = (anchors[m] * neighbours[m]).sum(1)
        expected = torch.nn.functional.binary_cross_entropy(agreement, torch.ones(9))
        torch.testing.assert_close(consistency[m], expected)
        mean = anchors[m].mean(0)
        torch.testing.assert_close(entropy[m], -(mean * mean.log()).sum())


def test_equal_sure_labels_cost_nothing_and_sure_opposites_cost_what_torch_cuts_off_at() -> None:
    sure = torch.eye(4).unsqueeze(0)
    assert [float(term) for term in neighbour_consistency(sure, sure)] == pytest.approx([0.0, math.log(4)])
    assert float(neighbour_consistency(sure, sure.roll(1, 1))[0]) == 100.0
