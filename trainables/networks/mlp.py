"""Multi-layer perceptrons over members: linear head, MLP of any widths, projector and predictor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from trainables.networks.layers import Affine, batch_norm, linear
from trainables.networks.network import Init, Network, fan_in_uniform
from trainables.randomness import Streams

__all__ = ["Mlp"]


class Mlp(Network):
    """Linear layers with ReLU between; images are flattened first. Without hidden widths it is a linear head.

    A layer in front of a batch norm has no bias: it would be no part of the function, and Adam would turn the
    rounding error in its gradient into steps of full size.

    Args:
        widths: input, hidden and output widths; at least two.
        streams: one initialisation stream per member; layers draw in order.
        norm: batch norm after every hidden layer.
        norm_out: batch norm without scale and shift on the output (SeCu's centring).
        init: initial weights and biases.
    """

    def __init__(
        self,
        widths: Sequence[int],
        streams: Streams,
        *,
        norm: bool = False,
        norm_out: bool = False,
        init: Init = fan_in_uniform,
    ) -> None:
        super().__init__()
        self.widths, self.norm, self.norm_out = tuple(widths), norm, norm_out
        self.out_features = self.widths[-1]
        last = len(self.widths) - 2
        for depth, (inner, outer) in enumerate(zip(self.widths[:-1], self.widths[1:], strict=True)):
            self._param(init(streams, (inner, outer), inner))
            normed = norm_out if depth == last else norm
            if not normed:
                self._param(init(streams, (outer,), inner))
            elif depth < last:
                self._param(torch.ones(len(streams), outer, device=streams.device))
                self._param(torch.zeros(len(streams), outer, device=streams.device))
            if normed:
                self._statistics(self._params[0].new_zeros(len(streams), outer))

    def forward(self, x: Tensor, train: bool) -> Tensor:
        """Return (M, B, widths[-1]) of (M, B, ...)."""
        params, buffers, last = iter(self.params), iter(self.buffers), len(self.widths) - 2
        h = x.reshape(*x.shape[:2], math.prod(x.shape[2:])) if x.dim() > 3 else x
        for depth in range(last + 1):
            weight = next(params)
            if self.norm_out if depth == last else self.norm:
                affine: Affine = (None, None) if depth == last else (next(params), next(params))
                h = batch_norm(linear(h, weight, None), affine, (next(buffers), next(buffers)), train)
            else:
                h = linear(h, weight, next(params))
            if depth < last:  # in place where no view is in the way: half the memory traffic of a wide bundle
                h = torch.relu(h) if self.norm else h.relu_()
        return h
