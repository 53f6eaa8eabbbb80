"""Discriminative entropy clustering (paper 2301.11405): softmax models and pseudo-labels that make them fair.

    gamma ||v||^2 + mean_i H(sigma_i, y_i) + lambda KL(u || ybar)                                              (42)

By turns: pseudo-labels y minimise the loss for fixed predictions sigma (EM, eqs. 45-46), then a gradient step on the
model for fixed y. v are the weights of the last layer, biases not counted; u = 1/K; averages are over the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from orchestrator.knobs import Choice, Float, Int, knob
from trainables.assignment.em import em
from trainables.assignment.newton import newton
from trainables.batches import cuts
from trainables.data import Dataset
from trainables.losses.soft_labels import (
    CROSS_ENTROPIES,
    FAIRNESS,
    fairness_of_predictions,
    predictions,
    renyi,
)
from trainables.method import FusedMethod, MethodConfig, Row
from trainables.metrics import score
from trainables.shared_head import SharedLinear, SharedOrder, largest

__all__ = ["METHOD", "EntropyClustering", "EntropyConfig"]

WITH_LABELS = ("reverse", "forward", "symmetric", "collision")


@dataclass(frozen=True, kw_only=True)
class EntropyConfig(MethodConfig):
    """Defaults of the paper's fixed-feature table (its Table 3, MNIST); EM's stopping rule is not stated there."""

    loss: str = knob("reverse", Choice(*WITH_LABELS, "renyi"))
    """Cross-entropy of predictions and pseudo-labels: reverse H(sigma, y) is the paper's; forward H(y, sigma);
    symmetric half of each; collision -ln sum sigma y. `renyi` is loss (48), which has no pseudo-labels: Renyi entropy
    of sigma plus lambda times the fairness of sbar (order 1 and `entropy`: mutual information)."""
    renyi_order: float | str = knob(1.0, Choice(0.1, 0.5, 1.0, 2.0, 5.0, "inf"), when={"loss": ("renyi",)})
    """alpha of (48)."""
    fairness: str = knob("kl_u_y", Choice("kl_u_y", "kl_y_u", "entropy", "kl_u_sigma", "none"))
    """Fairness term: kl_u_y KL(u || ybar) is the paper's; kl_y_u KL(ybar || u); entropy -H(ybar), which is kl_y_u less
    the constant ln K; kl_u_sigma KL(u || sbar) acts on the predictions, pseudo-labels are then these; none."""
    fairness_weight: float = knob(100.0, Float(1.0, 1000.0, log=True), fuses=True)
    """lambda of eq. (42)."""
    norm_weight: float = knob(1e-3, Float(1e-6, 1.0, log=True, also=(0.0,)), fuses=True)
    """gamma of eq. (42), whose gradient is 2 gamma v (the paper does not say which convention it uses)."""
    update: str = knob("batch", Choice("batch", "epoch"))
    """When pseudo-labels are made anew: for each batch, or for all points at the start of each epoch (Fig. 12)."""
    solver_tolerance: float = knob(1e-6, Float(1e-10, 1e-2, log=True))
    """EM stops at this relative decrease of the objective, Newton (other fairness forms) at this duality gap."""
    solver_iterations: int = knob(15, Int(1, 1000, log=True), when={"fairness": ("kl_u_y",)})
    """Cap on EM iterations."""
    lr: float = knob(0.1, Float(1e-5, 10.0, log=True), fuses=True)
    """Learning rate."""
    batch_size: int = knob(250, Int(16, 2000, log=True))
    """Points a batch; N of eqs. (45)-(46) is its size."""
    init_scale: float = knob(1.0, Float(1e-3, 10.0, log=True), fuses=True)
    """Factor on the first weights, drawn from U(-1/sqrt(d), 1/sqrt(d)): small logits leave collapse sooner."""


RATES = ("fairness_weight", "norm_weight", "lr")
LOGGED = ("loss", "solver_iterations", "objective_before", "objective_after", "residual", "n_solved")


class EntropyClustering(FusedMethod):
    """Linear softmax heads of all members; those with one seed share their batches."""

    Config = EntropyConfig
    version = 1
    member_state = ("head", "order", "logged")

    def __init__(
        self, configs: Sequence[EntropyConfig], seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        super().__init__(configs, seeds, data, device)
        config, points = configs[0], data.vectors.to(device)
        self.cuts = cuts(len(data), config.batch_size)
        self.head = SharedLinear(points, data.n_classes, seeds, "init.head")
        self.head.scale(self.column("init_scale"))
        self.order = SharedOrder(seeds, device)
        self.logged = torch.zeros(len(self), len(LOGGED), dtype=torch.float64, device=device)

    def fit_epoch(self) -> None:
        """Pseudo-labels and a step for every batch; with `update` epoch, pseudo-labels of all points come first."""
        self.rates = {name: self.column(name) for name in RATES}
        self.logged.zero_()
        order = self.order.permutation(len(self.data))
        if self.configs[0].update == "epoch":
            logits = torch.cat(list(self.head.outputs(self.head.points)), 2)
            stored = self._pseudo_labels(*predictions(logits))
        for cut in self.cuts:
            rows = order[:, cut]
            sigma, log_sigma = predictions(self.head.logits(rows))
            if self.configs[0].loss == "renyi":
                loss, slope = self._direct(sigma, log_sigma)
            elif self.configs[0].update == "epoch":
                index = rows[self.order.seats.of].unsqueeze(1).expand_as(sigma)
                y, log_y = (part.gather(2, index) for part in stored)
                loss, slope = self._against(sigma, log_sigma, y, log_y)
            else:
                loss, slope = self._against(sigma, log_sigma, *self._pseudo_labels(sigma, log_sigma))
            self._step(slope)
            self.logged[:, 0] += loss
        self._finish_epoch()

    def _pseudo_labels(self, sigma: Tensor, log_sigma: Tensor) -> tuple[Tensor, Tensor]:
        """Return y and ln y, (M, K, n) each, that minimise the loss for these predictions."""
        config, weight = self.configs[0], self.rates["fairness_weight"]
        if config.loss == "renyi" or config.fairness in ("none", "kl_u_sigma"):
            return sigma, log_sigma  # nothing but H(sigma, y) depends on y
        if config.fairness == "kl_u_y":
            labels = em(
                sigma.transpose(1, 2),
                weight,
                tolerance=config.solver_tolerance,
                max_iterations=config.solver_iterations,
            )
        else:  # -H(ybar) is KL(ybar || u) up to a constant
            labels = newton(sigma.transpose(1, 2), weight, fairness="reverse", tolerance=config.solver_tolerance)
        facts = (labels.iterations, labels.objective_before, labels.objective_after, labels.residual)
        self.logged[:, 1:-1] += torch.stack([fact.double() for fact in facts], 1)
        self.logged[:, -1] += 1
        return labels.y.transpose(1, 2), labels.log_y.transpose(1, 2)

    def _against(self, sigma: Tensor, log_sigma: Tensor, y: Tensor, log_y: Tensor) -> tuple[Tensor, Tensor]:
        """Return loss (M,) and slope (M, K, B) of the cross-entropy plus the fairness term."""
        config, weight = self.configs[0], self.rates["fairness_weight"]
        loss, slope = CROSS_ENTROPIES[config.loss](sigma, log_sigma, y, log_y)
        if config.fairness == "none":
            return loss, slope
        if config.fairness == "kl_u_sigma":
            fair, by_sigma = fairness_of_predictions("kl_u_y", sigma, weight)
            return loss + fair, slope + by_sigma
        return loss + weight * FAIRNESS[config.fairness](y.mean(2)), slope

    def _direct(self, sigma: Tensor, log_sigma: Tensor) -> tuple[Tensor, Tensor]:
        """Return loss and slope of (48): no pseudo-labels, the fairness term acts on the mean prediction."""
        config = self.configs[0]
        loss, slope = renyi(sigma, log_sigma, float(config.renyi_order))
        if config.fairness == "none":
            return loss, slope
        form = "kl_u_y" if config.fairness == "kl_u_sigma" else config.fairness
        fair, by_sigma = fairness_of_predictions(form, sigma, self.rates["fairness_weight"])
        return loss + fair, slope + by_sigma

    def _step(self, slope: Tensor) -> None:
        rate, norm = self.rates["lr"], self.rates["norm_weight"]
        self.head.step(slope, rate, 1.0 - 2.0 * rate * norm)

    def _finish_epoch(self) -> None:
        """Means over batches; the norm term is that of the weights at the end of the epoch."""
        self.logged[:, 0] /= len(self.cuts)
        self.logged[:, 0] += self.rates["norm_weight"] * self.head.squared_norms()
        self.logged[:, 1:-1] /= self.logged[:, -1:].clamp_min(1.0)
        self.epoch += 1

    def evaluate(self, last: bool) -> list[Row]:
        """Return metrics of the hard clusters of the scored points, and what training logged in the epoch."""
        points = self.data.eval_vectors.to(self.device)
        found = torch.cat([largest(part) for part in self.head.outputs(points)], 1)
        rows = score(found, self.data, self.data.n_classes, last)
        for row, logged in zip(rows, self.logged.tolist(), strict=True):
            row["metric.loss"] = logged[0]
            row |= {f"diagnostic.{name}": value for name, value in zip(LOGGED[1:-1], logged[1:-1], strict=True)}
        return rows

    @classmethod
    def max_members(cls, config: EntropyConfig, data: Dataset) -> int:
        """64 linear heads of ten classes keep a batch's logits in the cache."""
        return 64


METHOD = EntropyClustering
