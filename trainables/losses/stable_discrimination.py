"""SeCu's two losses (stable cluster discrimination, 2311.14310), rivals of its centre term, Theorem 1's fixed point."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from trainables.losses.sphere import cluster_sums

__all__ = ["CentreForm", "centre_loss", "hardness", "hardness_weighted_sums", "representation_loss"]

CentreForm: TypeAlias = Literal["stable", "cross_entropy", "positives"]
"""stable: SeCu. cross_entropy: negatives not detached. positives: the pull -x.w_y / lambda alone (*inferred* reading
of "positives only"; nothing is left to detach, and every positive weighs the same)."""


def _per_member(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1)


def representation_loss(
    scores: tuple[Tensor, Tensor], labels: Tensor, temperature: Tensor, label_weight: Tensor
) -> Tensor:
    """Return L_x of one head, the term that trains the encoder.

    It is:

        (1/2) sum_v mean_i -< q_i^v, ln softmax(s_i^v) >,   q_i^1 = (1 - tau) sg softmax(s_i^2) + tau onehot(y_i)

    and q^2 likewise: the *other* view's soft prediction and the *previous* epoch's label.

    Args:
        scores: cosines x^v . W_prev of the two views, each (M, B, K), against the centres of the epoch's start
            (constants: no gradient flows to any centre).
        labels: (M, B) int64 labels of the previous epoch (epoch 0: the ones just assigned).
        temperature: (M,) lambda_x.
        label_weight: (M,) tau, weight of the hard part. 1: hard-label cross-entropy. 0: pure distillation between
            the views, prone to collapse (*inferred*).

    Returns:
        (M,).
    """
    first, second = scores[0] / _per_member(temperature), scores[1] / _per_member(temperature)
    weight = label_weight.view(-1, 1)
    total = torch.zeros_like(label_weight)
    for own, other in ((first, second), (second, first)):
        log_own = own.log_softmax(2)
        soft = (other.detach().softmax(2) * log_own).sum(2)
        hard = log_own.gather(2, labels.unsqueeze(2)).squeeze(2)
        total = total - ((1.0 - weight) * soft + weight * hard).mean(1)
    return total / 2.0


def centre_loss(scores: Tensor, labels: Tensor, temperature: Tensor, form: CentreForm = "stable") -> Tensor:
    """Return L_c of one head and view, the term that trains the centres.

    It is:

        mean_i -ln( e^{x_i.w_y/lambda} / (e^{x_i.w_y/lambda} + sum_{k != y} e^{x_i.sg(w_k)/lambda}) )

    so that dL_c/dw_j = -(1/(lambda B)) sum_{i: y_i = j} (1 - p_ij) x_i: a centre is moved by its own points only, the
    more the less certain they are.

    Args:
        scores: (M, B, K) cosines x_i . w_j with x detached and w live.
        labels: (M, B) int64, the *fresh* labels.
        temperature: (M,) lambda_w.
        form: SeCu's, or one of its rivals.

    Returns:
        (M,).
    """
    logits = scores / _per_member(temperature)
    own = logits.gather(2, labels.unsqueeze(2))
    if form == "positives":
        return -own.squeeze(2).mean(1)
    if form == "stable":
        logits = logits.detach().scatter(2, labels.unsqueeze(2), own)
    return (logits.logsumexp(2) - own.squeeze(2)).mean(1)


def hardness(scores: Tensor, labels: Tensor, temperature: Tensor) -> Tensor:
    """Return (M, B) 1 - p_{i, y_i}: how far each point is from certain, its weight in its centre's gradient."""
    # summed over the others rather than 1 - p: exact where p is within one rounding of 1
    p = (scores / _per_member(temperature)).softmax(2)
    return p.scatter(2, labels.unsqueeze(2), 0.0).sum(2)


def hardness_weighted_sums(points: Tensor, scores: Tensor, labels: Tensor, temperature: Tensor) -> Tensor:
    """Return (M, K, d) sum_{i: y_i = j} (1 - p_ij) x_i, whose direction is Theorem 1's closed-form centre (eq. 4).

    The theorem's fixed point equals one step of gradient descent with rate 1, the paper's reason for a constant
    centre learning rate. As lambda grows the weights become equal, and the centre that of spherical k-means.

    Args:
        points: (M, B, d) unit vectors.
        scores: (M, B, K) their cosines to the present centres.
        labels: (M, B) int64.
        temperature: (M,) lambda_w.
    """
    return cluster_sums(points, labels, scores.shape[2], hardness(scores, labels, temperature))
