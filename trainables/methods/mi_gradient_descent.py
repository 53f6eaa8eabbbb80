"""MIGD, mutual information by gradient descent (Bridle and MacKay 1991; Krause's decay 2010): rival in 2301.11405.

    mean_i H(sigma_i) - w H(sbar) + c ||(v, b)||^2                                                       (5, 6)

The whole loss is descended by SGD: no pseudo-labels. Its slope by the logits vanishes where predictions are saturated,
also at collapse; a batch's sbar biases the fairness term, so a batch should be much larger than K. In the order in
which to read: Config, `loss`; the epoch around it is `heads.softmax_training`.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.knobs import Float, knob
from trainables.heads.softmax_training import SoftmaxConfig, SoftmaxTraining, Targets
from trainables.losses.soft_labels import LossAndSlope, fairness_of_predictions, renyi

__all__ = ["METHOD", "MIGradientDescent", "MIGradientDescentConfig"]


@dataclass(frozen=True, kw_only=True)
class MIGradientDescentConfig(SoftmaxConfig):
    """As entropy clustering's for fixed features; eq. (6) counts biases in the norm, and so does `norm_weight` here."""

    fairness_weight: float = knob(1.0, Float(0.1, 100.0, log=True, also=(0.0,)), fuses=True)
    """w: mutual information is w = 1; IMSAT's mu is 4."""


class MIGradientDescent(SoftmaxTraining):
    """Mutual information of points and predicted classes, descended as it stands."""

    Config = MIGradientDescentConfig
    version = 2
    norm_counts_biases = True

    def loss(self, predicted: Targets, targets: Targets) -> LossAndSlope:
        """Return minus the mutual information: mean H(sigma) - w H(sbar)."""
        del targets
        decisive, slope = renyi(*predicted, 1.0)
        fair, by_mean = fairness_of_predictions("entropy", predicted[0], self.column("fairness_weight"))
        return decisive + fair, slope + by_mean


METHOD = MIGradientDescent
