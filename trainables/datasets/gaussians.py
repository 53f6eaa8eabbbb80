"""A mixture of ten isotropic Gaussians in 16 dimensions, drawn from a fixed stream: for tests and rehearsals."""

from __future__ import annotations

import torch

from trainables.data.dataset import Dataset
from trainables.randomness import stream_seed

__all__ = ["load"]

N_CLASSES, PER_CLASS, N_FEATURES, SPREAD = 10, 100, 16, 1.0


def load() -> Dataset:
    """Return 1,000 centred points (1000, 16); centres are standard normal draws times 1.5, the spread is 1.

    Neighbouring heaps overlap, so a good clustering is good, not perfect.
    """
    generator = torch.Generator().manual_seed(stream_seed(0, "dataset.gaussians"))
    centres = 1.5 * torch.randn(N_CLASSES, N_FEATURES, generator=generator)
    labels = torch.arange(N_CLASSES).repeat(PER_CLASS)
    noise = SPREAD * torch.randn(len(labels), N_FEATURES, generator=generator)
    points = centres[labels] + noise
    return Dataset("gaussians", points - points.mean(0), labels, N_CLASSES)
