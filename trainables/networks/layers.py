"""Layers over members as functions: linear, batch norm of vectors and of images (their tensors belong to networks)."""

from __future__ import annotations

from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from trainables.products import product

__all__ = ["Affine", "Statistics", "batch_norm", "linear", "norm_channels"]

Affine: TypeAlias = tuple[Tensor | None, Tensor | None]
"""Scale and shift of a batch norm, or None and None."""

Statistics: TypeAlias = tuple[Tensor, Tensor]
"""Running mean and variance of a batch norm."""

LANES = 16
"""Floats in the widest vector register: members that start at such a multiple are summed as they are alone."""

REGISTER_BYTES = 4 * LANES

AT_ONCE = 1 << 20
"""Numbers of the factor that members multiply at once with what they share: it has to stay in the cache."""

LARGE = 8_000_000
"""Multiplications of one member from which a layer is multiplied by oneDNN (measured: even for one member
alone, twice as fast for wide layers on AMD's processors)."""


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return x @ weight + bias of each member: (M, B, in), (M, in, out), (M, out) -> (M, B, out)."""
    if 1 in weight.shape[1:] and len(x) > 1:  # one input or output: matrix times vector, other sums in a bundle
        members = len(x)
        biases = [None] * members if bias is None else bias.chunk(members)
        rows = zip(x.chunk(members), weight.chunk(members), biases, strict=True)
        return torch.cat([linear(*row) for row in rows])
    if torch.is_autocast_enabled(x.device.type):  # torch casts for its own layers, not for ours
        dtype = torch.get_autocast_dtype(x.device.type)
        x, weight = x.to(dtype), weight.to(dtype)
    out: Tensor = _Product.apply(x, weight)
    return out if bias is None else out + bias.unsqueeze(1).to(out.dtype)


class _Product(torch.autograd.Function):
    """x @ weight of each member, with gradients; a member's bits do not depend on where in the bundle it is."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _wide(x, weight) if _is_large(x, weight) else _product(x, weight)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        large = _is_large(x, weight)
        by_x = by_weight = None
        if ctx.needs_input_grad[0]:
            by_x = _by_x(slopes[0], weight) if large else _product(slopes[0], weight.transpose(1, 2))
        if ctx.needs_input_grad[1]:
            by_weight = _by_weight(x, slopes[0]) if large else _product(x.transpose(1, 2), slopes[0])
        return by_x, by_weight


def _is_large(x: Tensor, weight: Tensor) -> bool:
    """Return whether a layer is multiplied by `products.product`: that follows from the shapes of one member alone."""
    return x.dtype is torch.float32 and x.device.type == "cpu" and x.shape[1] * weight[0].numel() >= LARGE


def _shared(x: Tensor) -> bool:
    """Return whether all members have the same points: a view that repeats one member's."""
    return len(x) == 1 or x.stride(0) == 0


def _turned(factor: Tensor) -> Tensor:
    """Return (M, r, c) as (M, c, r), contiguous; member by member torch turns a matrix ten times as fast."""
    out = factor.new_empty(factor.shape[0], factor.shape[2], factor.shape[1])
    for own, member in zip(out, factor, strict=True):
        own.copy_(member.T)
    return out


def _wide(x: Tensor, weight: Tensor) -> Tensor:
    """Return x @ weight, (M, B, in) and (M, in, out) -> (M, B, out); one product where members share their points."""
    if _shared(x):
        return _of_all(x[0], _turned(weight))
    return torch.stack([product(own, member.T) for own, member in zip(x, weight, strict=True)])


def _of_all(rows: Tensor, factors: Tensor) -> Tensor:
    """Return rows @ factor.T for each of the factors, (r, d) and (M, c, d) -> (M, r, c), some of them at once."""
    members, width, inner = factors.shape
    at_once = max(1, AT_ONCE // (width * inner))
    rows, out = rows.contiguous(), factors.new_empty(members, len(rows), width)
    for first in range(0, members, at_once):
        part = factors[first : first + at_once]
        found = product(rows, part.flatten(0, 1)).view(len(rows), len(part), width)
        out[first : first + at_once] = found.transpose(0, 1)
    return out


def _by_x(slope: Tensor, weight: Tensor) -> Tensor:
    """Return slope @ weight.T of each member, (M, B, in)."""
    return torch.stack(list(map(product, slope, weight)))


def _by_weight(x: Tensor, slope: Tensor) -> Tensor:
    """Return x.T @ slope of each member, (M, in, out)."""
    if _shared(x):
        return _of_all(x[0].T, _turned(slope))
    return torch.stack([product(own.T, rows.T) for own, rows in zip(x, slope, strict=True)])


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Return left @ right, (M, r, k) and (M, k, c) -> (M, r, c), every member adding up as it does alone.

    A BLAS may have other sums for factors and results that begin elsewhere than at a multiple of a vector register
    (measured on an AMD processor, for fewer than 12 columns). So results are as wide as a register, and cut.
    """
    columns, lanes = right.shape[2], REGISTER_BYTES // right.element_size()
    if columns % lanes:
        right = functional.pad(right, (0, -columns % lanes))
    out = torch.bmm(_aligned(left), _aligned(right))
    return out if columns == out.shape[2] else out[..., :columns].contiguous()


def _aligned(factor: Tensor) -> Tensor:
    """Return (M, r, c), or its transpose, with every member at a multiple of a register, as a new tensor begins."""
    members, rows, columns = factor.shape
    lanes = REGISTER_BYTES // factor.element_size()
    if factor.stride(2) != 1 and factor.stride(1) == 1:
        return _aligned(factor.transpose(1, 2)).transpose(1, 2)
    if factor.stride(0) % lanes == 0 and factor.data_ptr() % REGISTER_BYTES == 0:
        return factor
    size = rows * columns
    room = factor.new_empty(members, size + -size % lanes)
    return room[:, :size].view(members, rows, columns).copy_(factor)


def norm_channels(x: Tensor, affine: Affine, statistics: Statistics, train: bool) -> Tensor:
    """Return batch norm over channels (dim 1) of one tensor, and record its statistics in place.

    Args:
        x: (B, C) or (B, C, H, W).
        affine: scale and shift, (C,) each, or None and None.
        statistics: running mean and variance, (C,) each.
        train: whether batch statistics are used. A batch with one value per channel has none: it is normalised by
            the running ones, so that a last batch of one sample is a defined case.
    """
    (scale, shift), (mean, variance) = affine, statistics
    batch = train and x.numel() > x.shape[1]
    return functional.batch_norm(x, mean, variance, scale, shift, batch)


def batch_norm(x: Tensor, affine: Affine, statistics: Statistics, train: bool) -> Tensor:
    """Return batch norm of vectors, each member by its own batch: x (M, B, d), the other tensors (M, d)."""
    members, size, width = x.shape
    scale, shift = affine
    if width % LANES == 0:  # fold the members into channels: one call, and measured bit-equal to members alone
        mean, variance = statistics
        flat = x.transpose(0, 1).reshape(size, members * width)
        folded = (None, None) if scale is None or shift is None else (scale.reshape(-1), shift.reshape(-1))
        out = norm_channels(flat, folded, (mean.view(-1), variance.view(-1)), train)
        return out.view(size, members, width).transpose(0, 1)
    affines = [(None, None)] * members if scale is None or shift is None else zip(scale, shift, strict=True)
    rows = []
    for own, of_member, mean, variance in zip(x, affines, *statistics, strict=True):
        rows.append(norm_channels(own, of_member, (mean, variance), train))
    return torch.stack(rows)
