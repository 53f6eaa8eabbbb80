"""CDR, the cluster dispersion regulariser of PIPCDR (2311.00731), in the form of ProPos' prototype scattering."""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.losses.sphere import cluster_sums, product, unit

__all__ = ["cluster_centres", "cluster_dispersion"]


def cluster_centres(points: Tensor, labels: Tensor, n_clusters: int) -> tuple[Tensor, Tensor]:
    """Return the unit mean direction of each cluster, and its size.

    Args:
        points: (M, B, d); each is scaled to length one first.
        labels: (M, B) int64 in -1..K-1; -1 belongs to no cluster.
        n_clusters: K.

    Returns:
        (M, K, d) centres, zero where a cluster is empty, and (M, K) float sizes.
    """
    sizes = (labels.unsqueeze(2) == torch.arange(n_clusters, device=labels.device)).to(points.dtype).sum(1)
    means = cluster_sums(unit(points), labels, n_clusters) / sizes.clamp_min(1.0).unsqueeze(2)
    return unit(means), sizes


def cluster_dispersion(online: Tensor, target: Tensor, labels: Tensor, n_clusters: int, temperature: Tensor) -> Tensor:
    """Return CDR for each member.

    It is:

        (1/K_B) sum_{k non-empty} -ln( e^{mu_k.mu'_k/tau} / (e^{mu_k.mu'_k/tau} + sum_{j != k} e^{mu_k.mu_j/tau}) )

    over the K_B non-empty clusters of the batch; mu are centres of online embeddings (gradient flows through both
    factors of the negatives), mu' of target embeddings (no gradient). *Inferred*: the form is ProPos'; PIPCDR's own
    equation was *not found*.

    Empty clusters are left out exactly: no row, and a column of -inf (the reference's -10 is larger than real
    logits reach at a temperature below 0.1). Which clusters are empty follows from the same rows as the centres.
    One non-empty cluster gives 0, as does none.

    Args:
        online: (M, B, d) embeddings z of one view; rows of a queue appended by the caller carry no gradient.
        target: (M, B, d) embeddings z' of the other view; the same rows of the queue appended.
        labels: (M, B) int64 pseudo-labels in -1..K-1; -1 (a queue row not yet filled) counts nowhere.
        n_clusters: K.
        temperature: (M,) tau.

    Returns:
        (M,).
    """
    centres, sizes = cluster_centres(online, labels, n_clusters)
    with torch.no_grad():
        target_centres, _ = cluster_centres(target, labels, n_clusters)
    filled = sizes > 0
    scale = temperature.view(-1, 1)
    positive = (centres * target_centres).sum(2) / scale
    similar = product(centres, centres.transpose(1, 2)) / scale.unsqueeze(2)
    own = torch.eye(n_clusters, dtype=torch.bool, device=online.device)
    logits = torch.where(own, positive.unsqueeze(2), similar)
    # rows of empty clusters keep one finite entry each, so that no -inf - -inf arises in a row that is dropped anyway
    logits = logits.masked_fill(~filled.unsqueeze(1) & ~own, -torch.inf)
    loss = (logits.logsumexp(2) - positive) * filled
    return loss.sum(1) / filled.sum(1).clamp_min(1)
