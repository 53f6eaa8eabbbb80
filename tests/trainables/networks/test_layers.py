"""Layers over members: the same bits alone and in a bundle, forward and gradient, for widths of every remainder."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from trainables.networks import layers
from trainables.networks.layers import batch_norm, linear

SIZES = st.one_of(st.integers(1, 140), st.sampled_from([250, 256, 1000]))
WIDTHS = st.sampled_from([1, 3, 7, 10, 16, 31, 32, 33, 48, 50, 64, 100, 128])


def blocks(members: int, *shapes: tuple[int, ...]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(members, *shape, generator=generator).requires_grad_() for shape in shapes]


def member(parts: list[Tensor], place: int) -> list[Tensor]:
    return [part[place : place + 1].detach().clone().requires_grad_() for part in parts]


def with_gradients(out: Tensor, parts: list[Tensor]) -> list[Tensor]:
    return [out.detach(), *torch.autograd.grad((out.sin() + out**2).sum(), parts)]


@settings(max_examples=20, deadline=None)
@example(9, 33, 7, 5, True)
@example(3, 64, 10, 5, True)
@given(SIZES, WIDTHS, WIDTHS, st.integers(2, 17), st.booleans())
def test_a_linear_layer_gives_a_member_the_bits_it_has_alone(
    size: int, inner: int, outer: int, members: int, with_bias: bool
) -> None:
    parts = blocks(members, (size, inner), (inner, outer), (outer,))[: 3 if with_bias else 2]
    whole = with_gradients(linear(parts[0], parts[1], parts[2] if with_bias else None), parts)
    for place in {0, members // 2, members - 1}:
        own = member(parts, place)
        alone = with_gradients(linear(own[0], own[1], own[2] if with_bias else None), own)
        assert all(torch.equal(one[place], two[0]) for one, two in zip(whole, alone, strict=True))


@pytest.mark.parametrize(("size", "inner", "outer"), [(250, 784, 64), (250, 700, 150), (1000, 128, 80), (33, 512, 513)])
@pytest.mark.parametrize("shared", [False, True])
def test_large_layers_too_whether_members_share_their_points_or_not(
    size: int, inner: int, outer: int, shared: bool
) -> None:
    x, weight = blocks(5, (size, inner), (inner, outer))
    assert size * inner * outer >= layers.LARGE
    if shared:
        points = x[:1].detach().expand(5, -1, -1)
        found = with_gradients(linear(points, weight, None), [weight])
    else:
        points = x
        found = with_gradients(linear(x, weight, None), [weight, x])
    by_torch = with_gradients(torch.bmm(points, weight), [weight])
    torch.testing.assert_close(found[0], by_torch[0], rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(found[1], by_torch[1], rtol=1e-3, atol=float(by_torch[1].abs().max()) * 1e-4)
    for place in (0, 3):
        own, single = weight[[place]].detach().requires_grad_(), points[[place]].detach().requires_grad_(not shared)
        alone = with_gradients(linear(single, own, None), [own] if shared else [own, single])
        assert all(torch.equal(one[place], two[0]) for one, two in zip(found, alone, strict=True))


def normed(parts: list[Tensor], train: bool) -> tuple[list[Tensor], tuple[Tensor, Tensor]]:
    x, scale, shift = parts
    statistics = (torch.full_like(scale, 0.5, requires_grad=False), torch.full_like(scale, 2.0, requires_grad=False))
    return with_gradients(batch_norm(x, (scale, shift), statistics, train), parts), statistics


@settings(max_examples=20, deadline=None)
@given(SIZES, WIDTHS, st.integers(2, 17), st.booleans())
def test_batch_norm_gives_a_member_the_bits_it_has_alone(size: int, width: int, members: int, train: bool) -> None:
    parts = blocks(members, (size, width), (width,), (width,))
    whole, statistics = normed(parts, train)
    for place in {0, members // 2, members - 1}:
        alone, own = normed(member(parts, place), train)
        assert all(torch.equal(one[place], two[0]) for one, two in zip(whole, alone, strict=True))
        assert all(torch.equal(one[place], two[0]) for one, two in zip(statistics, own, strict=True))


def test_batch_norm_is_the_textbooks_for_folded_and_for_other_widths() -> None:
    for width in (16, 5):
        x, scale, shift = blocks(3, (20, width), (width,), (width,))
        mean, variance = torch.zeros(3, width), torch.ones(3, width)
        out = batch_norm(x, (scale, shift), (mean, variance), True)
        expected = (x - x.mean(1, keepdim=True)) / (x.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
        torch.testing.assert_close(out, expected * scale[:, None] + shift[:, None], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(mean, 0.1 * x.detach().mean(1))
        torch.testing.assert_close(variance, 0.9 + 0.1 * x.detach().var(1))
