"""What entropy clustering logs about a batch, its weights and its margins (2301.11405); nothing here trains."""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.losses.soft_labels import FAIRNESS, largest, predictions

__all__ = ["BATCH_FACTS", "of_batch", "of_predictions", "of_weights"]

BATCH_FACTS = ("kl_u_y", "min_mean_y", "entropy_y", "agreement", "logit_gradient")
"""KL(u || ybar); the least share in ybar; mean H(y); share of points with argmax y = argmax sigma; norm of the loss's
gradient by the logits, which vanishes on the plateau at collapse."""

AT_ONCE = 1 << 20
"""Logits that are looked at together."""


@torch.no_grad()
def of_batch(sigma: Tensor, y: Tensor, log_y: Tensor, slope: Tensor) -> Tensor:
    """Return BATCH_FACTS of a batch, (M, 5) float64, from (M, K, B) tensors."""
    mean = y.mean(2)
    facts = (
        FAIRNESS["kl_u_y"](mean),
        mean.amin(1),
        -(y * log_y).sum(1).mean(1),
        (largest(y) == largest(sigma)).float().mean(1),
        torch.linalg.vector_norm(slope.contiguous(), dim=(1, 2)),
    )
    return torch.stack([fact.double() for fact in facts], 1)


def of_weights(norms: Tensor) -> dict[str, Tensor]:
    """Return columns (M,) from the norms ||v_k|| (M, K); the soft zone around a boundary is about 1 / ||v|| wide."""
    whole = torch.linalg.vector_norm(norms, dim=1)
    return {
        "weight_norm": whole,
        "min_class_norm": norms.amin(1),
        "max_class_norm": norms.amax(1),
        "soft_zone": 1.0 / whole,
    }


@torch.no_grad()
def of_predictions(logits: Tensor, norm: Tensor) -> dict[str, Tensor]:
    """Return columns (M,) about all scored points.

    `decisiveness` is mean H(sigma), `fairness` H(sbar), `mutual_information` their difference, `kl_u_sigma`
    KL(u || sbar). `margin` is min_i min_k (v_{y_i} - v_k)^T x_i / ||v||, y_i the largest logit (Definition 3, biases
    included); `margin_01` and `margin_05` are its 1 % and 5 % quantiles over the points.

    Args:
        logits: (M, K, N).
        norm: (M,) ||v||.
    """
    most = max(1, AT_ONCE // max(1, logits[:1].numel()))  # members in turn where they are many: fewer copies at once
    if len(logits) > most:
        parts = [of_predictions(*some) for some in zip(torch.split(logits, most), torch.split(norm, most), strict=True)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    sigma, log_sigma = predictions(logits)
    mean = sigma.mean(2)
    soft = -(sigma * log_sigma).sum(1).mean(1)
    whole = -(mean * mean.log()).sum(1)
    columns = {
        "decisiveness": soft,
        "fairness": whole,
        "mutual_information": whole - soft,
        "kl_u_sigma": FAIRNESS["kl_u_y"](mean),
    }
    ordered = _gaps(logits).sort(1).values
    places = {"margin": 0, "margin_01": ordered.shape[1] // 100, "margin_05": ordered.shape[1] // 20}
    return columns | {name: ordered[:, place] / norm for name, place in places.items()}


def _gaps(logits: Tensor) -> Tensor:
    """Return the largest logit less the second largest, (M, K, N) -> (M, N); it is 0 where there is one class only."""
    first, second = logits[:, 0].clone(), torch.full_like(logits[:, 0], -torch.inf)
    for label in range(1, logits.shape[1]):
        second = torch.maximum(second, torch.minimum(first, logits[:, label]))
        first = torch.maximum(first, logits[:, label])
    return (first - second).nan_to_num(posinf=0.0)
