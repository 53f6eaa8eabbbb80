"""Three bars, the sides of a triangle open at its corners: max-margin clusters of more than two (paper 004).

After Fig. 8 of 2301.11405, whose points are not published: these are drawn from a fixed stream. Two of the bars are
nearer to each other than to the third, so one pair decides the margin (Def. 3); k-means gathers the corners.
"""

from __future__ import annotations

import math

import torch

from trainables.data.dataset import Dataset
from trainables.randomness import stream_seed

__all__ = ["load"]

PER_CLASS, LENGTH, WIDTH, HALF_SIDE, SHIFT = 60, 1.0, 0.1, 1.4, 0.15


def load() -> Dataset:
    """Return 180 centred points (180, 2): bars of length 2 and width 0.2 on a triangle of side 2.8.

    Bars 0 and 1 are moved by 0.15 towards the corner between them.
    """
    generator = torch.Generator().manual_seed(stream_seed(0, "dataset.three_sides"))
    labels = torch.arange(3).repeat_interleave(PER_CLASS)
    draws = 2 * torch.rand(len(labels), 2, generator=generator) - 1
    along = LENGTH * draws[:, 0] + torch.tensor([SHIFT, -SHIFT, 0.0])[labels]
    out = HALF_SIDE / math.sqrt(3) + WIDTH * draws[:, 1]
    angle = 2 * math.pi / 3 * labels
    points = torch.stack([angle.cos() * out - angle.sin() * along, angle.sin() * out + angle.cos() * along], 1)
    return Dataset("three_sides", points - points.mean(0), labels, 3)
