"""Transforms of images against hand-made results, torch's own functions and Pillow."""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from trainables.data.transforms import affine, blur, chroma, cutout, shift, sobel, solarise, tone


def inputs_of(shape: tuple[int, ...], n: int = 12) -> Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(0))


def test_a_shift_moves_whole_pixels_and_brings_in_zeros() -> None:
    x = torch.arange(1.0, 10.0).view(1, 1, 3, 3).expand(2, 1, 3, 3)
    out = shift(x, torch.tensor([1.0, 0.0]), torch.tensor([0.0, -2.0]))
    assert out[0, 0].tolist() == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    assert out[1, 0].tolist() == [[3, 0, 0], [6, 0, 0], [9, 0, 0]]


def test_an_affine_window_can_flip_turn_and_crop() -> None:
    x = inputs_of((2, 6, 6), 3)
    still, none = torch.zeros(3, 2), torch.zeros(3)
    flipped = affine(x, still, torch.tensor([[-1.0, 1.0]]).expand(3, 2), none)
    torch.testing.assert_close(flipped, x.flip(3), rtol=1e-4, atol=1e-4)
    turned = affine(x, still, torch.ones(3, 2), torch.full((3,), math.pi / 2))
    torch.testing.assert_close(turned, x.rot90(1, (2, 3)), rtol=1e-3, atol=1e-3)
    window = affine(x, torch.full((3, 2), -0.5), torch.full((3, 2), 0.5), none)
    corner = torch.nn.functional.interpolate(x[:, :, :4, :4], scale_factor=2, mode="bilinear")
    torch.testing.assert_close(window[:, :, :5, :5], corner[:, :, :5, :5], rtol=1e-3, atol=1e-3)


def test_tone_and_chroma_do_what_their_numbers_say() -> None:
    x = inputs_of((3, 5, 5), 4)
    one, zero = torch.ones(4), torch.zeros(4)
    torch.testing.assert_close(tone(x, zero, one), x)
    flat = tone(x, zero + 0.5, zero)
    torch.testing.assert_close(flat, (x.mean((1, 2, 3), keepdim=True) + 0.5).expand_as(x))
    torch.testing.assert_close(chroma(x, one, zero), x, rtol=1e-4, atol=1e-4)
    grey = chroma(x, zero, zero)
    torch.testing.assert_close(grey[:, 0], grey[:, 2])
    torch.testing.assert_close(grey[:, 0], torch.einsum("nchw,c->nhw", x, torch.tensor([0.299, 0.587, 0.114])))
    turned = chroma(chroma(x, one, zero + 0.7), one, zero - 0.7)
    torch.testing.assert_close(turned, x, rtol=1e-4, atol=1e-4)


def test_blur_is_a_separable_filter_and_keeps_flat_images() -> None:
    x = inputs_of((1, 8, 8), 2)
    kernel = torch.tensor([0.2, 0.6, 0.2])
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1), mode="replicate")
    expected = torch.nn.functional.conv2d(padded, (kernel[:, None] * kernel)[None, None])
    torch.testing.assert_close(blur(x, torch.tensor([0.2, 0.2])), expected)
    torch.testing.assert_close(blur(torch.ones(1, 3, 32, 32), torch.tensor([0.25])), torch.ones(1, 3, 32, 32))


def test_solarised_pixels_are_those_of_pillow_and_the_others_stay() -> None:
    image = torch.arange(256, dtype=torch.uint8).view(16, 16)
    expected = torch.tensor(np.array(ImageOps.solarize(Image.fromarray(image.numpy()))))
    pixels = (image.float() / 255.0).view(1, 1, 16, 16).expand(2, 1, 16, 16)
    out = solarise(pixels, torch.full((1, 1, 1), 0.5), torch.tensor([True, False]))
    torch.testing.assert_close(out[0, 0] * 255.0, expected.float())
    assert torch.equal(out[1], pixels[1])


def test_a_cut_out_square_has_its_side_and_leaves_the_rest() -> None:
    x = torch.ones(3, 2, 10, 10)
    out = cutout(x, torch.tensor([0.4, 0.4, 0.0]), torch.tensor([[0.5, 0.5], [0.0, 1.0], [0.5, 0.5]]))
    assert (out == 0).sum((1, 2, 3)).tolist() == [2 * 16, 2 * 4, 0]
    assert bool((out[0, :, 3:7, 3:7] == 0).all()) and bool((out[1, :, :2, 8:] == 0).all())


def test_sobel_is_the_two_convolutions_of_the_grey_image() -> None:
    x = inputs_of((3, 7, 9), 2)
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    kernels = torch.stack([kernel, kernel.T])[:, None]
    expected = torch.nn.functional.conv2d(x.mean(1, keepdim=True), kernels, padding=1)
    torch.testing.assert_close(sobel(x), expected, rtol=1e-4, atol=1e-5)
