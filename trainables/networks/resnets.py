"""Residual networks of 18, 34 and 50 layers (He et al. 2016), with stems for small, middle and large images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from trainables.networks.trunk import Layer, Trunk, convolve
from trainables.randomness import Streams

__all__ = ["ResNet18", "ResNet34", "ResNet50"]

SMALL, MIDDLE = 64, 128
"""Largest sides (pixels) of images that a stem keeps whole, and of those that it halves."""

WIDENED = 4
"""Channels that leave a bottleneck over those inside it."""


class _ResNet(Trunk):
    """Four stages of residual blocks; features are the mean over pixels of the last activations.

    The stem is a 3 x 3 convolution for images of up to 64 pixels (the papers' form for CIFAR), that and a max-pool by 2
    up to 128 (SeCu's for STL-10), and He's 7 x 7 by 2 with a max-pool by 2 for larger ones. Convolutions begin uniform
    in the fan-in, as torch's layers do, not with He's normal draws.

    Args:
        shape: (channels, height, width).
        streams: one initialisation stream per member.
        width: channels of the first stage; 64 is the network of the papers.
    """

    depths: ClassVar[tuple[int, int, int, int]]
    """Blocks of each stage."""
    bottleneck: ClassVar[bool] = False
    """Blocks of 1 x 1, 3 x 3 and 1 x 1 convolutions instead of two of 3 x 3."""

    def __init__(self, shape: tuple[int, int, int], streams: Streams, width: int = 64) -> None:
        super().__init__(streams)
        self.side = min(shape[1:])
        self._convolution(streams, shape[0], width, 3 if self.side <= MIDDLE else 7)
        inner = width
        for stage, blocks in enumerate(self.depths):
            for block in range(blocks):
                inner = self._block(streams, inner, 2**stage * width, stage > 0 and block == 0)
        self.out_features = inner

    def _block(self, streams: Streams, inner: int, width: int, halves: bool) -> int:
        """Declare a block's convolutions and return its channels."""
        outer = WIDENED * width if self.bottleneck else width
        kernels = ((inner, width, 1), (width, width, 3), (width, outer, 1))
        for shape in kernels if self.bottleneck else ((inner, width, 3), (width, width, 3)):
            self._convolution(streams, *shape)
        if halves or inner != outer:
            self._convolution(streams, inner, outer, 1)
        return outer

    def member(self, x: Tensor, layers: Iterator[Layer], train: bool, groups: int) -> Tensor:
        """Return activations (B, groups * out_features, 1, 1)."""
        large = self.side > MIDDLE
        x = convolve(x, next(layers), train, groups, 2 if large else 1, 3 if large else 1).relu_()
        if self.side > SMALL:
            x = functional.max_pool2d(x, 3, 2, 1) if large else functional.max_pool2d(x, 2)
        for stage, blocks in enumerate(self.depths):
            for block in range(blocks):
                x = self._residual(x, layers, train, groups, 2 if stage and not block else 1)
        return x.mean((2, 3), keepdim=True)

    def _residual(self, x: Tensor, layers: Iterator[Layer], train: bool, groups: int, stride: int) -> Tensor:
        """Return a block's output; the stride is that of its first 3 x 3 convolution."""
        h = x
        if self.bottleneck:
            h = convolve(h, next(layers), train, groups).relu_()
        h = convolve(h, next(layers), train, groups, stride, 1).relu_()
        h = convolve(h, next(layers), train, groups, 1, 0 if self.bottleneck else 1)
        shortcut = x
        if stride > 1 or h.shape[1] != x.shape[1]:
            shortcut = convolve(x, next(layers), train, groups, stride)
        return (h + shortcut).relu_()


class ResNet18(_ResNet):
    """Two basic blocks a stage: 11.2 million weights."""

    depths = (2, 2, 2, 2)


class ResNet34(_ResNet):
    """3, 4, 6 and 3 basic blocks: 21.3 million weights."""

    depths = (3, 4, 6, 3)


class ResNet50(_ResNet):
    """3, 4, 6 and 3 bottlenecks: 23.5 million weights."""

    depths, bottleneck = (3, 4, 6, 3), True
