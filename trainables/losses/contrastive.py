"""Contrastive losses: whose partner a row is among all others (SimCLR 2002.05709; clusters as CC 2009.09687 has it)."""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.losses.sphere import product, unit

__all__ = ["cluster_contrast", "normalised_cross_entropy"]


def normalised_cross_entropy(first: Tensor, second: Tensor, temperature: Tensor) -> Tensor:
    """Return NT-Xent of each member, (M,): every row of both views finds its partner among all 2 n - 1 others.

    Args:
        first: (M, n, d) unit vectors of one view.
        second: (M, n, d) those of the other, row by row the partners.
        temperature: (M,) divides the cosines.
    """
    rows = torch.cat([first, second], 1)
    n = first.shape[1]
    similar = product(rows, rows.transpose(1, 2)) / temperature.view(-1, 1, 1)
    partner = torch.arange(2 * n, device=rows.device).roll(n).view(1, -1, 1).expand(len(rows), -1, 1)
    positive = similar.gather(2, partner).squeeze(2)
    own = torch.eye(2 * n, dtype=torch.bool, device=rows.device)
    return (similar.masked_fill(own, -torch.inf).logsumexp(2) - positive).mean(1)


def cluster_contrast(first: Tensor, second: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
    """Return CC's cluster loss and its fairness term, (M,) each; their sum is what CC adds to its instance loss.

    The columns of soft assignments are clusters as rows of their batch, and find their partner in the other view; the
    term is ln K - H(mean assignment), of both views.

    Args:
        first: (M, B, K) soft assignments of one view, positive.
        second: (M, B, K) those of the other.
        temperature: (M,) divides the cosines.
    """
    columns = [view.transpose(1, 2).contiguous() for view in (first, second)]
    contrast = normalised_cross_entropy(unit(columns[0]), unit(columns[1]), temperature)
    fairness = torch.zeros_like(contrast)
    for clusters in columns:
        shares = clusters.mean(2)
        fairness = fairness + torch.xlogy(shares, shares * shares.shape[1]).sum(1)
    return contrast, fairness
