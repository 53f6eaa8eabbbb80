"""What keeps clusters from emptying in the rivals of hard regularisation (2303.16521): a term in the loss itself.

All take costs C (M, B, K), C[i, k] = ||z_i - mu_k||^2 / s, and return (M,).
"""

from __future__ import annotations

import math

from torch import Tensor

__all__ = ["attraction", "soft_entropy", "sum_of_squares"]


def attraction(costs: Tensor, labels: Tensor) -> Tensor:
    """Return mean_i C[i, y_i] of labels (M, B): the paper's loss, whose size penalty carries no gradient."""
    return costs.gather(2, labels.unsqueeze(2)).flatten(1).mean(1)


def sum_of_squares(costs: Tensor) -> Tensor:
    """Return mean_k (mean_i C[i, k])^2 (arm SS): no cluster may be far from everything."""
    return (costs.mean(1) ** 2).mean(1)


def soft_entropy(costs: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
    """Return H(mean_i q_i) and mean_i H(q_i) in nats, each (M,), of q = softmax(-C / T) (arm Ent).

    The reference code feeds raw costs to a categorical distribution, which makes q uniform to about 1 % and the term
    inert; this is what it says it does.

    Args:
        costs: (M, B, K).
        temperature: (M,) T.
    """
    logs = (costs / -temperature.view(-1, 1, 1)).log_softmax(2)
    each = -(logs.exp() * logs).sum(2).mean(1)
    mean_logs = logs.logsumexp(1) - math.log(costs.shape[1])  # finite where q underflows: 0 ln 0 stays 0
    return -(mean_logs.exp() * mean_logs).sum(1), each
