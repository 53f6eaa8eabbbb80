"""The network over time is the paper's at its own window length, and keeps its proportions at others."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainables.networks import build
from trainables.randomness import Streams


def streams() -> Streams:
    return Streams([3], "init.encoder")


def test_at_the_papers_window_it_is_the_network_of_its_code() -> None:
    """Kernels 50, 40, 7 and 4 over time, the last over all 117 sensors; no batch norm there (HAR/nets.py)."""
    network = build("time_cnn", (1, 512, 117), streams())
    layers: list[nn.Module] = []
    sizes = ((1, 4, (50, 1), (2, 1)), (4, 8, (40, 1), (2, 1)), (8, 16, (7, 1), (1, 1)), (16, 32, (4, 117), (1, 1)))
    for inner, outer, kernel, stride in sizes:
        layers.append(nn.Conv2d(inner, outer, kernel, stride, bias=outer == 32))
        if outer < 32:
            layers.append(nn.BatchNorm2d(outer))
        layers += [nn.LeakyReLU(0.3), nn.MaxPool2d((2, 1))]
    oracle = nn.Sequential(*layers, nn.Flatten())
    with torch.no_grad():
        for own, value in zip(oracle.parameters(), network.params, strict=True):
            own.copy_(value[0])
    x = Streams([1], "inputs").normal(3, 1, 512, 117)
    torch.testing.assert_close(network(x)[0], oracle(x[0]), rtol=1e-4, atol=1e-5)
    assert network.out_features == 32


def test_shorter_windows_have_kernels_of_the_same_share() -> None:
    network = build("time_cnn", (1, 100, 6), streams())
    assert [tuple(p.shape[3:]) for p in network.params if p.dim() == 5] == [(10, 1), (8, 1), (1, 1), (1, 6)]
    assert network(torch.randn(1, 4, 1, 100, 6)).shape == (1, 4, network.out_features)


@pytest.mark.parametrize("shape", [(3, 40, 6), (1, 8, 8), (1, 2, 1), (2, 700, 3)])
def test_any_window_gives_the_features_that_it_announces(shape: tuple[int, int, int]) -> None:
    network = build("time_cnn", shape, streams())
    assert network(torch.randn(1, 4, *shape)).shape == (1, 4, network.out_features)
