"""Convolutions of members in turn and as groups."""

from __future__ import annotations

import pytest
import torch
from small_networks import SEEDS, batch, make, train

from trainables.networks import (
    Chain,
)


@pytest.mark.parametrize("kind", ["cnn", "vgg4", "resnet18", "time_cnn"])
def test_members_as_groups_agree_with_members_in_turn(kind: str) -> None:
    turn, grouped = make(kind, SEEDS[:3]), make(kind, SEEDS[:3])
    (grouped.parts[0] if isinstance(grouped, Chain) else grouped).grouped = True
    for one, two in zip(train(turn, batch(kind, SEEDS[:3]), 1), train(grouped, batch(kind, SEEDS[:3]), 1), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-4)


def test_evaluation_does_not_depend_on_the_batch_around_a_sample() -> None:
    network, x = make("cnn", [0, 1]), batch("cnn", [0, 1])
    train(network, x, 1)
    torch.testing.assert_close(network(x, False)[:, :1], network(x[:, :1], False))
