"""The small convolution network of the hard-regularisation paper, and VGG4."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor
from torch.nn import functional

from orchestrator.errors import RequestError
from trainables.networks.trunk import Layer, Trunk, convolve
from trainables.randomness import Streams

__all__ = ["SmallCnn", "Vgg4"]

SMALL_CNN_WIDTHS, VGG4_WIDTHS = (6, 16), (32, 32, 64, 64)
PADDED_BELOW = 16  # below this size two unpadded 5 x 5 convolutions with pooling leave nothing


class SmallCnn(Trunk):
    """The encoder `simp` of paper 000: twice convolution 5 x 5, batch norm, ReLU, max-pool 2 (6, then 16 channels).

    Images smaller than 16 x 16, which the paper has none of, are padded so that a convolution keeps their size.

    Args:
        shape: (channels, height, width); at least 4 x 4.
        streams: one initialisation stream per member.
    """

    def __init__(self, shape: tuple[int, int, int], streams: Streams) -> None:
        super().__init__(streams)
        channels, *sides = shape
        if min(sides) < 4:
            raise RequestError(f"network cnn takes images of at least 4 x 4; these are {sides[0]} x {sides[1]}")
        self.padding = 2 if min(sides) < PADDED_BELOW else 0
        for inner, outer in zip((channels, *SMALL_CNN_WIDTHS), SMALL_CNN_WIDTHS, strict=False):
            self._convolution(streams, inner, outer, 5)
            sides = [(side + 2 * self.padding - 4) // 2 for side in sides]
        self.out_features = SMALL_CNN_WIDTHS[-1] * sides[0] * sides[1]

    def member(self, x: Tensor, layers: Iterator[Layer], train: bool, groups: int) -> Tensor:
        """Return activations (B, groups * 16, h, w)."""
        for layer in layers:
            x = functional.max_pool2d(convolve(x, layer, train, groups, 1, self.padding).relu_(), 2)
        return x


class Vgg4(Trunk):
    """Four convolutions 3 x 3 (32, 32, pool, 64, 64, pool), each with batch norm and ReLU, then the mean over pixels.

    Paper 004 names a VGG4 and does not give its widths; these are ours.

    Args:
        shape: (channels, height, width); at least 4 x 4.
        streams: one initialisation stream per member.
    """

    def __init__(self, shape: tuple[int, int, int], streams: Streams) -> None:
        super().__init__(streams)
        if min(shape[1:]) < 4:
            raise RequestError(f"network vgg4 takes images of at least 4 x 4; these are {shape[1]} x {shape[2]}")
        for inner, outer in zip((shape[0], *VGG4_WIDTHS), VGG4_WIDTHS, strict=False):
            self._convolution(streams, inner, outer, 3)
        self.out_features = VGG4_WIDTHS[-1]

    def member(self, x: Tensor, layers: Iterator[Layer], train: bool, groups: int) -> Tensor:
        """Return activations (B, groups * 64, 1, 1)."""
        for depth, layer in enumerate(layers):
            x = convolve(x, layer, train, groups, 1, 1).relu_()
            x = functional.max_pool2d(x, 2) if depth % 2 else x
        return x.mean((2, 3), keepdim=True)
