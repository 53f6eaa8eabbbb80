"""Two long parallel Gaussians in the plane: entropy clustering parts them along the gap, k-means across (paper 004).

After Fig. 1 of 2301.11405, whose points are not published: these are drawn from a fixed stream.
"""

from __future__ import annotations

import torch

from trainables.data.dataset import Dataset
from trainables.randomness import stream_seed

__all__ = ["load"]

PER_CLASS, LENGTH, WIDTH, DISTANCE = 100, 1.5, 0.2, 1.6


def load() -> Dataset:
    """Return 200 centred points (200, 2); standard deviations 1.5 along and 0.2 across, centres 1.6 apart."""
    generator = torch.Generator().manual_seed(stream_seed(0, "dataset.parallel_gaussians"))
    labels = torch.arange(2).repeat_interleave(PER_CLASS)
    points = torch.randn(len(labels), 2, generator=generator) * torch.tensor([LENGTH, WIDTH])
    points[:, 1] += DISTANCE * labels
    return Dataset("parallel_gaussians", points - points.mean(0), labels, 2)
