"""SCAN's loss (2005.12320): a point and a neighbour get the same cluster, and all clusters are used."""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.losses.mutual_information import mean_assignment

__all__ = ["neighbour_consistency"]

FLOOR = 1e-8
"""Least share in the entropy, as in SCAN's code."""
LARGEST = 100.0
"""Largest -ln of an agreement: where torch's binary cross-entropy, which SCAN's code uses, cuts it off."""


def neighbour_consistency(anchors: Tensor, neighbours: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean_i -ln <sigma_i, sigma_n(i)>, and H(mean sigma) of the anchors, which SCAN subtracts; (M,) each.

    Args:
        anchors: (M, B, K) probabilities of points.
        neighbours: (M, B, K) those of one neighbour each.
    """
    agreement = (anchors * neighbours).sum(2)
    consistency = agreement.log().neg().clamp_max(LARGEST).mean(1)
    shares = mean_assignment(anchors).clamp_min(FLOOR)
    return consistency, -(shares * torch.log(shares)).sum(1)
