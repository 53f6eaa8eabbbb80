"""ResNet-18 for small images (3 x 3 stem without max-pool), members in turn."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from trainables.networks.trunk import Layer, Trunk, convolve
from trainables.randomness import Streams

__all__ = ["ResNet18"]

BLOCKS = tuple((2**stage, 2 if stage and not block else 1) for stage in range(4) for block in range(2))
"""Width factor and stride of each of the eight basic blocks."""


class ResNet18(Trunk):
    """ResNet-18 (He et al. 2016) in its CIFAR form: features are the mean over pixels of the last activations.

    Convolutions begin uniform in the fan-in, as torch's layers do, not with He's normal draws.

    Args:
        shape: (channels, height, width).
        streams: one initialisation stream per member.
        width: channels of the first stage; 64 is the network of the papers.
    """

    def __init__(self, shape: tuple[int, int, int], streams: Streams, width: int = 64) -> None:
        super().__init__(streams)
        self._convolution(streams, shape[0], width, 3)
        inner = width
        for factor, stride in BLOCKS:
            outer = factor * width
            self._convolution(streams, inner, outer, 3)
            self._convolution(streams, outer, outer, 3)
            if stride > 1 or inner != outer:
                self._convolution(streams, inner, outer, 1)
            inner = outer
        self.out_features = inner

    def member(self, x: Tensor, layers: Iterator[Layer], train: bool, groups: int) -> Tensor:
        """Return activations (B, groups * 8 * width, 1, 1)."""
        x = convolve(x, next(layers), train, groups, 1, 1).relu_()
        for _, stride in BLOCKS:
            h = convolve(x, next(layers), train, groups, stride, 1).relu_()
            h = convolve(h, next(layers), train, groups, 1, 1)
            shortcut = convolve(x, next(layers), train, groups, stride) if stride > 1 else x
            x = (h + shortcut).relu_()
        return x.mean((2, 3), keepdim=True)
