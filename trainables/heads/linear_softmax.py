"""Training of linear softmax models on targets made from their predictions: what rivals of entropy clustering share.

A rival names its targets and its loss; order of the points, first weights and descent are those of `entropy` with a
linear head, so arms that share a seed start alike and see the same batches. All gradients are closed forms.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from orchestrator.knobs import Float, Int, knob
from orchestrator.trial import PRECISIONS
from trainables.data.batches import cuts
from trainables.data.dataset import Dataset
from trainables.diagnostics.entropy import BATCH_FACTS, of_batch, of_predictions, of_weights
from trainables.heads.shared_head import SharedLinear, SharedOrder
from trainables.losses.soft_labels import LossAndSlope, largest, predictions
from trainables.method import FusedMethod, MethodConfig, Row
from trainables.networks import members_at_most
from trainables.scoring import score

__all__ = ["LinearSoftmax", "LinearSoftmaxConfig", "Targets"]

Targets = tuple[Tensor, Tensor]
"""Pseudo-labels y and ln y, (M, K, B) each."""


@dataclass(frozen=True, kw_only=True)
class LinearSoftmaxConfig(MethodConfig):
    """The paper's settings for fixed features (2301.11405, section 4.2, MNIST), which all methods there share."""

    norm_weight: float = knob(1e-3, Float(1e-6, 1.0, log=True, also=(0.0,)), fuses=True)
    """Coefficient of the squared norm of the weights; its gradient is twice that times the weight (Table 3 tunes it
    for each dataset; values of the rivals *not found*)."""
    lr: float = knob(0.1, Float(1e-5, 10.0, log=True), fuses=True)
    """Learning rate of plain SGD."""
    batch_size: int = knob(250, Int(16, 2000, log=True))
    """Points a batch, as near as equal batches come."""
    init_scale: float = knob(1.0, Float(1e-3, 10.0, log=True), fuses=True)
    """Factor on the first weights, drawn from U(-1/sqrt(d), 1/sqrt(d))."""
    init_gap: float = knob(0.0, Float(0.1, 30.0, log=True, also=(0.0,)), fuses=True)
    """Added to the first class's first bias: a start at collapse, to measure how soon a loss escapes from it."""


class LinearSoftmax(FusedMethod):
    """Linear softmax models of all members. Labels that a dataset gives are not used."""

    precisions = PRECISIONS
    norm_counts_biases: ClassVar[bool] = False
    member_state: ClassVar[tuple[str, ...]] = ("head", "order", "losses", "logged")

    def __init__(
        self, configs: Sequence[LinearSoftmaxConfig], seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        super().__init__(configs, seeds, data, device)
        self.cuts = cuts(len(data), configs[0].batch_size)
        self.order = SharedOrder(seeds, device)
        norm, nothing = self.column("norm_weight"), torch.zeros(len(self), device=device)
        # a decay of 2 c is the step of c ||parameter||^2, of all parameters; the norm term leaves biases out
        rates = {"norm_weight": nothing, "weight_decay": 2.0 * norm}
        if not self.norm_counts_biases:
            rates = {"norm_weight": norm, "weight_decay": nothing}
        rates |= {name: self.column(name) for name in ("lr", "init_scale")}
        self.head = SharedLinear(data.inputs.to(device), data.n_classes, seeds, rates)
        self.head.tilt(self.column("init_gap"))
        self.scored = self.head.prepared(data.eval_inputs.to(device))
        self.losses = torch.zeros(len(self), dtype=torch.float64, device=device)
        self.logged = torch.zeros(len(self), len(BATCH_FACTS), dtype=torch.float64, device=device)

    def targets(self, sigma: Tensor, log_sigma: Tensor) -> Targets:
        """Return pseudo-labels of the points predicted as sigma (M, K, n); by default the predictions themselves."""
        return sigma, log_sigma

    def targets_of_epoch(self) -> Targets | None:
        """Return pseudo-labels (M, K, N) of all points, held for the epoch; None: each batch makes its own."""
        return None

    @abstractmethod
    def loss(self, predicted: Targets, targets: Targets) -> LossAndSlope:
        """Return the loss (M,) of a batch without the norm term, and its gradient by the logits (M, K, B)."""

    def targets_of_all(self) -> Targets:
        """Return `targets` of all training points, in their own order."""
        return self.targets(*predictions(torch.cat(list(self.head.outputs(self.head.inputs)), 2)))

    def fit_epoch(self) -> None:
        """One step for every batch."""
        self.losses = torch.zeros_like(self.losses)
        order = self.order.permutation(len(self.data))
        stored = self.targets_of_epoch()
        for place, cut in enumerate(self.cuts):
            rows = order[:, cut]
            seen = predictions(self.head.logits(rows)[0])
            targets = self.targets(*seen) if stored is None else self._picked(stored, rows)
            loss, slope = self.loss(seen, targets)
            self.head.step([slope])
            self.losses += loss
            if place == len(self.cuts) - 1:
                self.logged = of_batch(seen[0], *targets, slope)
        self.losses = self.losses / len(self.cuts)
        self.epoch += 1

    def _picked(self, stored: Targets, rows: Tensor) -> Targets:
        index = rows[self.order.seats.of].unsqueeze(1).expand(-1, stored[0].shape[1], -1)
        return stored[0].gather(2, index), stored[1].gather(2, index)

    def diagnostics(self) -> dict[str, Tensor]:
        """Return columns (M,) that a rival logs besides those of a batch, the weights and the predictions."""
        return {}

    def evaluate(self, last: bool) -> list[Row]:
        """Return metrics of the hard clusters of the scored points, and what training logged in the epoch."""
        norms = self.head.class_norms()
        squared = norms.double().square().sum(1)
        parts = list(self.head.outputs(self.scored))
        found = torch.cat([largest(part) for part in parts], 1)
        columns = of_predictions(torch.cat(parts, 2), squared.sqrt()) if last else {}
        columns |= self.diagnostics() | of_weights(norms)
        columns |= dict(zip(BATCH_FACTS, self.logged.unbind(1), strict=True))
        rows = score(found, self.data, self.data.n_classes, last)
        if self.norm_counts_biases:
            squared = squared + self.head.bias.double().square().sum(1)
        losses = self.losses + self.column("norm_weight") * squared
        values = {name: column.tolist() for name, column in columns.items()}
        for member, (row, loss) in enumerate(zip(rows, losses.tolist(), strict=True)):
            row["metric.loss"] = loss
            row |= {f"diagnostic.{name}": float(column[member]) for name, column in values.items()}
        return rows

    @classmethod
    def max_members(cls, config: LinearSoftmaxConfig, data: Dataset) -> int:
        """As many linear heads as one product gains from."""
        return members_at_most("linear", data.inputs.shape[1:])
