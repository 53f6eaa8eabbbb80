"""Residual networks are torchvision's, layer by layer, with the stem that the size of the images asks for."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn

from trainables.networks import build
from trainables.randomness import Streams

NAMES = ("resnet18", "resnet34", "resnet50")


def streams() -> Streams:
    return Streams([3], "init.encoder")


def oracle(name: str, side: int) -> nn.Module:
    """torchvision's network without its last layer, with the stem of the papers for small and middle images."""
    network: nn.Module = torchvision.models.get_model(name, weights=None)
    network.fc = nn.Identity()
    if side <= 128:
        network.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        network.maxpool = nn.MaxPool2d(2) if side > 64 else nn.Identity()
    return network


def in_our_order(network: nn.Module) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Convolutions with their batch norms: a block's own, then its shortcut's, as torchvision declares them too."""
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    return list(zip(convolutions, norms, strict=True))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", [16, 72, 130])
def test_features_are_those_of_torchvision_with_the_same_weights(name: str, side: int) -> None:
    ours, theirs = build(name, (3, side, side), streams()), oracle(name, side)
    with torch.no_grad():
        values = iter(ours.params)
        for convolution, norm in in_our_order(theirs):
            for own in (convolution.weight, norm.weight, norm.bias):
                own.copy_(next(values)[0])
    assert next(values, None) is None
    x = Streams([1], "inputs").normal(2, 3, side, side)
    with torch.no_grad():
        expected: Tensor = theirs.train()(x[0])
        torch.testing.assert_close(ours(x)[0], expected, rtol=1e-3, atol=1e-4)
    assert ours.out_features == expected.shape[1]


@pytest.mark.parametrize(("name", "count"), zip(NAMES, (11_173_962, 21_282_122, 23_520_842), strict=True))
def test_they_have_as_many_weights_as_their_cifar_forms(name: str, count: int) -> None:
    network = build(name, (3, 32, 32), streams(), out_features=10)
    assert sum(parameter.numel() for parameter in network.params) == count
