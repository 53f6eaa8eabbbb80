"""MIADM, mutual information by alternating directions (Jabi et al. 2019): rival in 2301.11405, which prints two forms.

    mean_i H(y_i, sigma_i) - H(ybar) + gamma ||v||^2                                                     (9, 12)

By turns: pseudo-labels y in an approximate closed form, then a gradient step on the standard cross-entropy. The closed
form's text was *not found*; both candidates are *inferred* from DEPICT, on whose code Jabi's is built: y ~ sigma /
sqrt(sbar), its derivation, and y ~ sigma^2 / sbar, the rule it runs. The first leaves y = sigma where classes are
balanced, so nothing makes the model decisive: on mnist_5k (4 seeds, 10 epochs, lr 0.1 to 3) it stays below NMI 0.21,
the second reaches 0.39, and 0.53 with labels per batch. Table 3 has MIADM near k-means, so the second is the default.
In the order in which to read: Config, `balanced`, `targets`, `loss`; the epoch around them is `heads.softmax_training`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from orchestrator.knobs import Choice, knob
from trainables.heads.softmax_training import SoftmaxConfig, SoftmaxTraining, Targets
from trainables.losses.soft_labels import FAIRNESS, FLOOR, LossAndSlope, forward

__all__ = ["METHOD", "Miadm", "MiadmConfig", "balanced"]


@dataclass(frozen=True, kw_only=True)
class MiadmConfig(SoftmaxConfig):
    """As entropy clustering's for fixed features (the paper tunes MIADM for each dataset; values *not found*)."""

    labels: str = knob("squared", Choice("squared", "root"))
    """Pseudo-labels: `squared` y ~ sigma^2 / sbar; `root` y ~ sigma / sqrt(sbar)."""
    update: str = knob("full", Choice("full", "batch"))
    """When pseudo-labels are made: `full`, of all points at the start of each epoch (MIADM); `batch` (MIADM*)."""


@torch.no_grad()
def balanced(sigma: Tensor, log_sigma: Tensor, rule: str) -> Targets:
    """Return y and ln y, (M, K, n), by a rule that `MiadmConfig.labels` names, for means over the n points.

    y is at least FLOOR; as a power of sigma / sqrt(sbar), 1 or 2, normalised over the classes.
    """
    power = {"root": 1.0, "squared": 2.0}[rule]
    y = (power * (log_sigma - 0.5 * sigma.mean(2, keepdim=True).log())).softmax(1).clamp_min_(FLOOR)
    return y, y.log()


class Miadm(SoftmaxTraining):
    """Soft pseudo-labels in closed form and standard cross-entropy on them."""

    Config = MiadmConfig
    version = 2

    def targets(self, sigma: Tensor, log_sigma: Tensor) -> Targets:
        """Return predictions moved towards equal sizes."""
        return balanced(sigma, log_sigma, self.configs[0].labels)

    def targets_of_epoch(self) -> Targets | None:
        """Return those of all points with `update` full."""
        return self.targets_of_all() if self.configs[0].update == "full" else None

    def loss(self, predicted: Targets, targets: Targets) -> LossAndSlope:
        """Return cross-entropy less fairness, mean H(y, sigma) - H(ybar)."""
        cross, slope = forward(*predicted, *targets)
        return cross + FAIRNESS["entropy"](targets[0].mean(2)), slope


METHOD = Miadm
