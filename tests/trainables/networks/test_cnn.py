"""The small convolution network is that of the paper, layer by layer."""

from __future__ import annotations

import torch
from small_networks import streams
from torch import nn

from trainables.networks import (
    Chain,
    build,
)
from trainables.randomness import Streams


def test_the_small_cnn_is_that_of_the_paper() -> None:
    network = build("cnn", (3, 32, 32), streams([0]), out_features=128)
    assert isinstance(network, Chain)
    assert network.parts[0].out_features == 16 * 5 * 5
    assert build("cnn", (1, 28, 28), streams([0])).out_features == 16 * 4 * 4
    assert build("cnn", (3, 96, 96), streams([0])).out_features == 16 * 21 * 21
    weights = network.params
    x = Streams([0], "inputs").normal(5, 3, 32, 32)
    h = x[0]
    for layer in range(2):
        h = nn.functional.conv2d(h, weights[3 * layer][0])
        h = (h - h.mean((0, 2, 3), keepdim=True)) / (h.var((0, 2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt()
        h = nn.functional.max_pool2d(h.relu(), 2)
    expected = h.flatten(1) @ weights[6][0] + weights[7][0]
    torch.testing.assert_close(network(x)[0], expected, rtol=1e-4, atol=1e-5)
