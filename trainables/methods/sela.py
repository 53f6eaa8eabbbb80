"""SeLa, self-labelling by optimal transport (Asano et al. 2020, 1911.05371): rival in 2301.11405.

    min over one-hot y with ybar = u, and the model, of mean_i H(y_i, sigma_i)                              (8)

By turns: Q minimises <Q, -ln sigma> - H(Q) / lambda with equal class sizes (Sinkhorn, in the log domain: sigma^lambda
underflows float32), y is the argmax of Q, and cross-entropy on y is descended. At small lambda y is balanced only
nearly. One head of K = classes, on fixed features or on a network; how paper 2301.11405 ran it (labels of all points or
of a batch, lambda): *not found*. In the order in which to read: Config, `targets`, `targets_of_epoch`, `loss`; the
epoch around them is `heads.softmax_training`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from orchestrator.knobs import Choice, Float, Int, knob
from trainables.assignment.sinkhorn import sinkhorn
from trainables.data.dataset import Dataset
from trainables.heads.softmax_training import SoftmaxConfig, SoftmaxTraining, Targets
from trainables.losses.soft_labels import FLOOR, LossAndSlope, forward
from trainables.randomness import Streams

__all__ = ["METHOD", "SeLa", "SeLaConfig"]


@dataclass(frozen=True, kw_only=True)
class SeLaConfig(SoftmaxConfig):
    """Sharpness of SeLa's ImageNet code; optimiser as entropy clustering's for fixed features."""

    sharpness: float = knob(25.0, Float(1.0, 300.0, log=True), fuses=True)
    """lambda: 25 for ImageNet, 10 for CIFAR; larger is nearer to a hard, exactly balanced assignment."""
    update: str = knob("full", Choice("full", "batch"))
    """When labels are made: `full`, of all points at the start of each epoch, or `batch`, of each batch."""
    first_labels: str = knob("predictions", Choice("predictions", "permutation"), when={"update": ("full",)})
    """Labels of the first epoch: from the predictions of the first weights, or SeLa's random balanced ones (its code
    replaces these early in the first epoch)."""
    solver_tolerance: float = knob(0.01, Float(1e-6, 0.1, log=True))
    """Sinkhorn stops when the class sizes are off by this share of all points in sum (SeLa's rule, on sizes over
    K: 0.1 / K)."""
    solver_iterations: int = knob(200, Int(1, 2000, log=True))
    """Cap on Sinkhorn's sweeps."""


class SeLa(SoftmaxTraining):
    """Hard labels of nearly equal sizes and standard cross-entropy on them."""

    Config = SeLaConfig
    version = 2
    member_state = (*SoftmaxTraining.member_state, "solved")

    def __init__(
        self, configs: Sequence[SeLaConfig], seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        super().__init__(configs, seeds, data, device)
        self.solved = torch.zeros(len(self), 2, dtype=torch.float64, device=device)

    def targets(self, sigma: Tensor, log_sigma: Tensor) -> Targets:
        """Return the one-hot argmax of the transport plan."""
        config = self.configs[0]
        plan = sinkhorn(
            log_sigma.transpose(1, 2),
            self.column("sharpness"),
            tolerance=config.solver_tolerance,
            max_iterations=config.solver_iterations,
        )
        self.solved = torch.stack([plan.iterations.double(), plan.residual], 1)
        return _one_hot(plan.labels, sigma)

    def targets_of_epoch(self) -> Targets | None:
        """Return those of all points with `update` full."""
        config, seats = self.configs[0], self.order.seats
        if config.update == "batch":
            return None
        if self.epoch > 0 or config.first_labels == "predictions":
            return self.targets_of_all()
        drawn = Streams(seats.distinct, "labels.first", self.device).permutation(len(self.data))
        labels = (drawn % self.data.n_clusters)[seats.of]
        return _one_hot(labels, torch.empty(len(self), self.data.n_clusters, len(self.data), device=self.device))

    def loss(self, predicted: Targets, targets: Targets) -> LossAndSlope:
        """Return the cross-entropy, mean H(y, sigma)."""
        return forward(*predicted, *targets)

    def diagnostics(self) -> dict[str, Tensor]:
        """Return sweeps and residual of the last transport problem."""
        return {"solver_iterations": self.solved[:, 0], "residual": self.solved[:, 1]}


def _one_hot(labels: Tensor, like: Tensor) -> Targets:
    """Return labels (M, n) as y and ln y (M, K, n), FLOOR where they are not."""
    y = torch.full_like(like, FLOOR).scatter_(1, labels.unsqueeze(1), 1.0)
    return y, y.log()


METHOD = SeLa
