"""MIADM's closed forms move pseudo-labels towards equal sizes and lower its loss."""

from __future__ import annotations

import pytest
import torch

from trainables.losses.soft_labels import FAIRNESS, forward, predictions
from trainables.methods.miadm import balanced


def skewed(k: int = 4, n: int = 200) -> tuple[torch.Tensor, torch.Tensor]:
    logits = torch.randn(1, k, n, generator=torch.Generator().manual_seed(4)) * 2.0
    logits[:, 0] += 2.0
    return predictions(logits)


@pytest.mark.parametrize("rule", ["root", "squared"])
def test_labels_are_powers_of_predictions_over_the_root_of_their_mean(rule: str) -> None:
    sigma, log_sigma = skewed()
    y, log_y = balanced(sigma, log_sigma, rule)
    mean = sigma.mean(2, keepdim=True)
    raw = sigma / mean.sqrt() if rule == "root" else sigma**2 / mean
    torch.testing.assert_close(y, raw / raw.sum(1, keepdim=True))
    torch.testing.assert_close(log_y.exp(), y)


@pytest.mark.parametrize("rule", ["root", "squared"])
def test_a_step_in_the_labels_lowers_the_loss_and_evens_the_classes(rule: str) -> None:
    sigma, log_sigma = skewed()
    y, log_y = balanced(sigma, log_sigma, rule)

    def loss(labels: torch.Tensor, logs: torch.Tensor) -> float:
        return float(forward(sigma, log_sigma, labels, logs)[0] + FAIRNESS["entropy"](labels.mean(2)))

    assert loss(y, log_y) < loss(sigma, log_sigma)
    assert 0.25 < float(y.mean(2).max()) < float(sigma.mean(2).max())


def test_balanced_classes_leave_the_root_rule_at_the_predictions_and_the_squared_one_sharper() -> None:
    logits = torch.randn(1, 3, 30, generator=torch.Generator().manual_seed(5))
    turned = torch.cat([logits, logits.roll(1, 1), logits.roll(2, 1)], 2)  # every class has the same mean
    sigma, log_sigma = predictions(turned)
    torch.testing.assert_close(balanced(sigma, log_sigma, "root")[0], sigma)
    sharp = balanced(sigma, log_sigma, "squared")[0]
    assert bool((sharp.amax(1) > sigma.amax(1) - 1e-6).all())
