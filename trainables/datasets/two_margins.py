"""Two slanted bars, each with a small gap in its middle: a wide and a narrow margin between fair halves (paper 004).

After Fig. 3 of 2301.11405, whose points are not published: these are drawn from a fixed stream. The wide margin lies
between the bars (these are the classes), the narrow one crosses both; halves across have the smaller variance.
"""

from __future__ import annotations

import torch

from trainables.data.dataset import Dataset
from trainables.randomness import stream_seed

__all__ = ["load"]

PER_HALF, LENGTH, GAP, WIDTH, DISTANCE, SLANT = 50, 2.0, 0.6, 0.3, 2.0, 0.6


def load() -> Dataset:
    """Return 200 centred points (200, 2): bars of length 4 and width 0.6, 1.4 apart, with gaps of 0.6, sheared by 0.6.

    Points are in the order lower left, lower right, upper left, upper right, 50 each.
    """
    generator = torch.Generator().manual_seed(stream_seed(0, "dataset.two_margins"))
    quarter = torch.arange(4).repeat_interleave(PER_HALF)
    draws = torch.rand(len(quarter), 2, generator=generator)
    along = (GAP / 2 + draws[:, 0] * (LENGTH - GAP / 2)) * (2 * (quarter % 2) - 1)
    across = (2 * draws[:, 1] - 1) * WIDTH + DISTANCE * (quarter // 2)
    points = torch.stack([along + SLANT * across, across], 1)
    return Dataset("two_margins", points - points.mean(0), quarter // 2, 2)
