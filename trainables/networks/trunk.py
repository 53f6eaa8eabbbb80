"""Convolution trunks over members: in turn on a CPU (a member keeps its bits), as grouped convolutions on a GPU."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from trainables.networks.layers import norm_channels
from trainables.networks.network import Network, fan_in_uniform
from trainables.randomness import Streams

__all__ = ["Layer", "Trunk"]

Layer: TypeAlias = tuple[Tensor, ...]
"""A convolution with its batch norm (weight, scale, shift, running mean, running variance), or with a bias instead."""


class Trunk(Network):
    """Convolutions, each with a batch norm and no bias (or without, and with one), ending in features (M, B, F).

    On a CPU grouped convolutions are no faster than members in turn and their bits depend on the number of groups;
    taking each member through the whole trunk also keeps the activations of one member at a time in the cache.
    On a GPU members become groups: one kernel launch for all.
    """

    def __init__(self, streams: Streams) -> None:
        super().__init__()
        self.grouped = streams.device.type == "cuda"
        self._normed: list[bool] = []

    def _convolution(
        self, streams: Streams, inner: int, outer: int, kernel: int | tuple[int, int], *, norm: bool = True
    ) -> None:
        """Declare a convolution and its batch norm, or its bias."""
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        fan_in = inner * height * width
        self._normed.append(norm)
        self._param(fan_in_uniform(streams, (outer, inner, height, width), fan_in))
        if not norm:
            self._param(fan_in_uniform(streams, (outer,), fan_in))
            return
        self._param(torch.ones(len(streams), outer, device=streams.device))
        self._param(torch.zeros(len(streams), outer, device=streams.device))
        self._statistics(self._params[-1].detach())

    @abstractmethod
    def member(self, x: Tensor, layers: Iterator[Layer], train: bool, groups: int) -> Tensor:
        """Return the last activations (B, groups * C, h, w) of x (B, groups * C, H, W), layers taken in order."""

    def forward(self, x: Tensor, train: bool) -> Tensor:
        """Return features (M, B, F) of images (M, B, C, H, W)."""
        members, size = x.shape[:2]
        stacked = self._layers()
        if self.grouped:
            folded = map(_folded, stacked)
            out = self.member(x.transpose(0, 1).flatten(1, 2), folded, train, members)
            return out.reshape(size, members, -1).transpose(0, 1)
        outs = []
        for images, layers in zip(x, _by_member(stacked), strict=True):
            outs.append(self.member(images, iter(layers), train, 1))
        return torch.stack(outs).flatten(2)

    def _layers(self) -> list[Layer]:
        """Return the tensors of each convolution, (M, ...) each."""
        params, buffers = iter(self._params), iter(self._buffers)
        layers: list[Layer] = []
        for normed in self._normed:
            own = (next(params), next(params))
            layers.append((*own, next(params), next(buffers), next(buffers)) if normed else own)
        return layers


def _folded(layer: Layer) -> Layer:
    """Return the tensors of a layer with members as groups of channels."""
    return tuple(tensor.flatten(0, 1) for tensor in layer)


def _by_member(layers: Sequence[Layer]) -> Iterator[tuple[Layer, ...]]:
    """Return each member's layers."""
    members_of_each = [zip(*layer, strict=True) for layer in layers]
    return zip(*members_of_each, strict=True)


def convolve(
    x: Tensor, layer: Layer, train: bool, groups: int, stride: int | tuple[int, int] = 1, padding: int = 0
) -> Tensor:
    """Return the batch norm of the convolution of x (B, groups * C, H, W), or the convolution with its bias."""
    if len(layer) == 2:
        return functional.conv2d(x, layer[0], layer[1], stride, padding, 1, groups)
    weight, scale, shift, mean, variance = layer
    out = functional.conv2d(x, weight, None, stride, padding, 1, groups)
    return norm_channels(out, (scale, shift), (mean, variance), train)
