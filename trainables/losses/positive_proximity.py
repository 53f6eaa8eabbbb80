"""PIP, the positive instance proximity loss of PIPCDR (2311.00731), and its sampled neighbours."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from trainables.losses.sphere import unit

__all__ = ["positive_proximity", "relative_noise", "sampled_neighbours"]


def sampled_neighbours(embeddings: Tensor, draws: Tensor, noise: Tensor) -> Tensor:
    """Return v = z + sigma eps, the "neighbours" that PIP aligns with the other view.

    The noise is added to the projector's output as it is, not normalised, before the predictor: *inferred* from
    ProPos, of which PIPCDR's abstract is a near-paraphrase; PIPCDR's own equations were *not found*. There is no
    search for neighbours in the data.

    Args:
        embeddings: (M, B, d) z.
        draws: (M, B, d) eps, standard normal.
        noise: (M,) sigma; 0 gives z back.
    """
    return embeddings + noise.view(-1, 1, 1) * draws


def relative_noise(embeddings: Tensor, noise: Tensor) -> Tensor:
    """Return (M,) sigma sqrt(d) / mean |z|: the length of the noise against that of what it is added to.

    What sigma means depends on |z| alone, which drifts: E cos(v, z) is about 1 / sqrt(1 + relative^2).
    """
    length: Tensor = torch.linalg.vector_norm(embeddings, dim=2).mean(1).clamp_min(1e-12)
    return noise * math.sqrt(embeddings.shape[2]) / length


def positive_proximity(predicted: Tensor, target: Tensor) -> Tensor:
    """Return mean_i |q_i / |q_i| - z'_i / |z'_i||^2 = mean_i (2 - 2 cos(q_i, z'_i)), in [0, 4], for each member.

    At sigma = 0 this is BYOL's loss. (One of the two reference forms reports -2 cos; this one never does.)

    Args:
        predicted: (M, B, d) the predictor's output on the neighbours.
        target: (M, B, d) the target network's embedding of the other view; no gradient flows into it.

    Returns:
        (M,).
    """
    cosine = (unit(predicted) * unit(target.detach())).sum(2)
    return 2.0 - 2.0 * cosine.mean(1)
