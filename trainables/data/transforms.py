"""Transforms of a block of images with own parameters for each image, as pure functions (nothing is drawn here).

Only operations whose bits do not depend on the other images of the block: no grouped convolution, no reduction over
images, no product whose size is the number of images.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["affine", "blur", "chroma", "cutout", "shift", "sobel", "solarise", "tone"]

# NTSC luminance and chrominance (YIQ), and the way back: hue is an angle in the (I, Q) plane
_YIQ = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))
_RGB: list[list[float]] = torch.linalg.inv(torch.tensor(_YIQ, dtype=torch.float64)).tolist()


def _each(value: Tensor) -> Tensor:
    """Return one number per image, shaped to multiply images (n, C, H, W)."""
    return value.view(-1, 1, 1, 1)


def shift(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return images moved by whole pixels, down by `rows` and right by `columns` (n,); what enters is 0."""
    count, _, height, width = x.shape
    padded = functional.pad(x, (0, 1, 0, 1))  # the last row and column are the zeros that enter
    down = torch.arange(height, device=x.device) - rows.long()[:, None]
    right = torch.arange(width, device=x.device) - columns.long()[:, None]
    down = torch.where((down >= 0) & (down < height), down, height)
    right = torch.where((right >= 0) & (right < width), right, width)
    flat = (down[:, :, None] * (width + 1) + right[:, None, :]).view(count, 1, height * width)
    return padded.flatten(2).gather(2, flat.expand(-1, x.shape[1], -1)).view_as(x)


def affine(x: Tensor, centre: Tensor, zoom: Tensor, angle: Tensor) -> Tensor:
    """Return each image's window, resampled to the size of the image (bilinear; outside, the edge goes on).

    Args:
        x: (n, C, H, W).
        centre: (n, 2) centre of the window (horizontal, vertical), in [-1, 1] from edge to edge.
        zoom: (n, 2) width and height of the window as a share of the image's; a negative width flips.
        angle: (n,) radians by which the window is turned.
    """
    height, width = x.shape[2:]
    u = ((torch.arange(width, device=x.device) * 2 + 1) / width - 1) * zoom[:, :1]
    v = ((torch.arange(height, device=x.device) * 2 + 1) / height - 1) * zoom[:, 1:]
    u, v = u[:, None, :], v[:, :, None] * (height / width)  # turned in a square, so that angles stay angles
    cos, sin = angle.cos().view(-1, 1, 1), angle.sin().view(-1, 1, 1)
    across = cos * u - sin * v + centre[:, 0].view(-1, 1, 1)
    down = (sin * u + cos * v) * (width / height) + centre[:, 1].view(-1, 1, 1)
    return functional.grid_sample(x, torch.stack([across, down], 3), padding_mode="border", align_corners=False)


def tone(x: Tensor, brightness: Tensor, contrast: Tensor) -> Tensor:
    """Return images with contrasts multiplied about their own mean, then brightened by an offset (both (n,))."""
    mean = x.flatten(1).mean(1).view(-1, 1, 1, 1)
    return (x - mean) * _each(contrast) + mean + _each(brightness)


def chroma(x: Tensor, saturation: Tensor, hue: Tensor) -> Tensor:
    """Return RGB images (n, 3, H, W) with chrominance multiplied by `saturation` and turned by `hue` radians (n,).

    A saturation of 0 gives a grey image. The turn is in the (I, Q) plane, a linear stand-in for a hue in HSV.
    """
    red, green, blue = x.unbind(1)
    luminance, first, second = (a * red + b * green + c * blue for a, b, c in _YIQ)
    cos, sin = (saturation * hue.cos()).view(-1, 1, 1), (saturation * hue.sin()).view(-1, 1, 1)
    turned, other = cos * first - sin * second, sin * first + cos * second
    return torch.stack([luminance + a * turned + b * other for _, a, b in _RGB], 1)


def blur(x: Tensor, weight: Tensor) -> Tensor:
    """Return images smoothed by (w, 1 - 2 w, w) along both axes; weight (n,) in [0, 1/4]; the edge is repeated.

    Larger images are smoothed more often: about the same share of the image.
    """
    w = _each(weight)
    for _ in range(max(1, round(math.sqrt(min(x.shape[2:]) / 8)))):
        padded = functional.pad(x, (1, 1, 0, 0), mode="replicate")
        x = x + w * (padded[..., :-2] + padded[..., 2:] - 2 * x)
        padded = functional.pad(x, (0, 0, 1, 1), mode="replicate")
        x = x + w * (padded[..., :-2, :] + padded[..., 2:, :] - 2 * x)
    return x


def solarise(x: Tensor, middle: Tensor, chosen: Tensor) -> Tensor:
    """Return images whose values from `middle` on are reflected about it, where `chosen` (n,); the others as they are.

    For pixels in [0, 1] and a middle of 1/2 it is p -> 1 - p for p >= 1/2: what torchvision and PIL do from 128 on.
    """
    return torch.where(chosen.view(-1, 1, 1, 1) & (x >= middle), 2.0 * middle - x, x)


def cutout(x: Tensor, side: Tensor, centre: Tensor) -> Tensor:
    """Return images with a square of zeros each (DeVries and Taylor 2017), cut off where it leaves the image.

    Args:
        x: (n, C, H, W).
        side: (n,) side of the square as a share of the image's; below half a pixel nothing is cut.
        centre: (n, 2) centre of the square in [0, 1], down and right.
    """
    inside = torch.ones_like(x[:, :1], dtype=torch.bool)
    for place, dimension in enumerate((2, 3)):
        length = x.shape[dimension]
        middles = (torch.arange(length, device=x.device) + 0.5) / length
        near = (middles - centre[:, place, None]).abs() < side[:, None] / 2.0
        inside = inside & near.view(len(x), 1, *([length, 1] if dimension == 2 else [1, length]))
    return x.masked_fill(inside, 0.0)


def sobel(x: Tensor) -> Tensor:
    """Return the two Sobel derivatives (..., 2, H, W), across and down, of the channels' mean; outside is 0."""
    grey = functional.pad(x.mean(-3), (1, 1, 1, 1))
    smoothed = grey[..., :-2, :] + 2.0 * grey[..., 1:-1, :] + grey[..., 2:, :]
    across = smoothed[..., 2:] - smoothed[..., :-2]
    smoothed = grey[..., :-2] + 2.0 * grey[..., 1:-1] + grey[..., 2:]
    down = smoothed[..., 2:, :] - smoothed[..., :-2, :]
    return torch.stack([across, down], -3)
