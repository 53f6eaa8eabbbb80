"""The convolution network over time of the hard-regularisation paper's activity data (`1dcnn` in its code)."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor
from torch.nn import functional

from trainables.networks.trunk import Layer, Trunk, convolve
from trainables.randomness import Streams

__all__ = ["TimeCnn"]

CHANNELS, KERNELS, STRIDES = (4, 8, 16, 32), (50, 40, 7, 4), (2, 2, 1, 1)
PAPER_WINDOW = 512
"""Samples of the paper's windows; kernels of other windows are as long a share of theirs."""
SLOPE = 0.3


class TimeCnn(Trunk):
    """Four times convolution over time, batch norm (not the last), leaky ReLU, max-pool 2; the last one spans sensors.

    Short windows are pooled as long as two samples are left.

    Args:
        shape: (1, samples, sensors): a window of a recording as an image; more channels are sensors of several kinds.
        streams: one initialisation stream per member.
    """

    def __init__(self, shape: tuple[int, int, int], streams: Streams) -> None:
        super().__init__(streams)
        inner, length, sensors = shape
        for depth, (outer, kernel, stride) in enumerate(zip(CHANNELS, KERNELS, STRIDES, strict=True)):
            last = depth == len(CHANNELS) - 1
            long = max(1, min(length, round(kernel * min(shape[1], PAPER_WINDOW) / PAPER_WINDOW)))
            self._convolution(streams, inner, outer, (long, sensors if last else 1), norm=not last)
            inner, length = outer, max(1, ((length - long) // stride + 1) // 2)
        self.out_features = inner * length

    def member(self, x: Tensor, layers: Iterator[Layer], train: bool, groups: int) -> Tensor:
        """Return activations (B, groups * 32, time, 1)."""
        for layer, stride in zip(layers, STRIDES, strict=True):
            x = functional.leaky_relu(convolve(x, layer, train, groups, (stride, 1)), SLOPE)
            x = functional.max_pool2d(x, (2, 1)) if x.shape[2] > 1 else x
        return x
