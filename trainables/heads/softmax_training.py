"""Training of softmax models on targets made from their predictions: what rivals of entropy clustering share.

A rival names its targets and its loss; network, views, order of the points, first weights and descent are those of
`entropy`, so arms that share a seed start alike and see the same batches. All logit gradients are closed forms.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from orchestrator.knobs import Choice, Float, Int, knob
from orchestrator.trial import PRECISIONS, Stage
from trainables.data.batches import cuts
from trainables.data.dataset import Dataset
from trainables.data.views import CHANGING, VIEWS
from trainables.diagnostics.entropy import BATCH_FACTS, of_batch, of_predictions, of_weights
from trainables.heads.network_head import NetworkHead, Shape
from trainables.heads.pretext import PretextConfig, pretrained
from trainables.heads.shared_head import SharedLinear, SharedOrder, joined, members_at_once
from trainables.losses.soft_labels import LossAndSlope, largest, predictions, self_augmentation
from trainables.method import FusedMethod, MethodConfig, Row
from trainables.networks import DEEP, NETWORKS, TRUNKS, members_at_most
from trainables.scoring import add_columns, diagnostics, score

__all__ = ["SoftmaxConfig", "SoftmaxTraining", "Targets"]

Targets = tuple[Tensor, Tensor]
"""Pseudo-labels y and ln y, (M, K, B) each."""


@dataclass(frozen=True, kw_only=True)
class SoftmaxConfig(MethodConfig):
    """The paper's settings for fixed features (2301.11405, section 4.2, MNIST), which all methods there share.

    Its networks have Adam at 1e-4, decay 0.01 and two views (VGG4), or a SimCLR start (ResNet-18).
    """

    norm_weight: float = knob(1e-3, Float(1e-6, 1.0, log=True, also=(0.0,)), fuses=True)
    """Coefficient of the squared norm of the last layer's weights; its gradient is twice that times the weight (Table 3
    tunes it for each dataset; values of the rivals *not found*)."""
    lr: float = knob(0.1, Float(1e-5, 10.0, log=True), fuses=True)
    """Learning rate (networks: 1e-4)."""
    optimiser: str = knob("sgd", Choice("sgd", "adam"))
    """SGD with fixed features, Adam for networks in the paper."""
    weight_decay: float = knob(0.0, Float(1e-6, 0.1, log=True, also=(0.0,)), fuses=True)
    """Decay of all weights and biases: coefficient of the parameter in its gradient (networks: 0.01)."""
    network: str = knob("linear", Choice(*NETWORKS))
    """What turns an input into K logits."""
    hidden_width: int = knob(64, Int(8, 1024, log=True), when={"network": ("mlp",)})
    """Width of an MLP's hidden layer."""
    start: str = knob("random", Choice("random", "simclr"), when={"network": tuple(TRUNKS)})
    """First weights of a convolution network: drawn, or those of a SimCLR made once for the seed."""
    pretext_epochs: int = knob(500, Int(1, 1000, log=True), when={"start": ("simclr",)})
    """Epochs of that SimCLR."""
    encoder_rate: float = knob(1.0, Float(1e-8, 1.0, log=True), fuses=True, when={"network": DEEP})
    """Factor on the learning rate of all layers but the last."""
    view: str = knob("none", Choice(*VIEWS))
    """Augmentation of L_N (7), which joins the loss of any of them."""
    n_views: int = knob(1, Int(1, 4), when={"view": CHANGING})
    """Views a point."""
    view_weight: float = knob(0.2, Float(0.01, 10.0, log=True, also=(0.0,)), fuses=True, when={"view": CHANGING})
    """Weight of L_N."""
    batch_size: int = knob(250, Int(16, 2000, log=True))
    """Points a batch, as near as equal batches come."""
    init_scale: float = knob(1.0, Float(1e-3, 10.0, log=True), fuses=True)
    """Factor on the first weights, drawn from U(-1/sqrt(d), 1/sqrt(d))."""
    init_gap: float = knob(0.0, Float(0.1, 30.0, log=True, also=(0.0,)), fuses=True)
    """Added to the first class's first bias: a start at collapse, to measure how soon a loss escapes from it."""


class SoftmaxTraining(FusedMethod):
    """Softmax models of all members. Labels that a dataset gives are not used."""

    precisions = PRECISIONS
    norm_counts_biases: ClassVar[bool] = False
    member_state: ClassVar[tuple[str, ...]] = ("head", "order", "losses", "logged")

    def __init__(
        self, configs: Sequence[SoftmaxConfig], seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        super().__init__(configs, seeds, data, device)
        self.cuts = cuts(len(data), configs[0].batch_size)
        self.order = SharedOrder(seeds, device)
        self.made: Sequence[Sequence[Stage]] = ()
        self.head = self._head(configs[0])
        self.head.tilt(self.column("init_gap"))
        self.scored = self.head.prepared(data.eval_inputs.to(device))
        self.losses = torch.zeros(len(self), dtype=torch.float64, device=device)
        self.logged = torch.zeros(len(self), len(BATCH_FACTS), dtype=torch.float64, device=device)

    def _head(self, config: SoftmaxConfig) -> SharedLinear | NetworkHead:
        """Return the head: a closed form for plain descent on a linear one, else a network with an optimiser."""
        norm, decay = self.column("norm_weight"), self.column("weight_decay")
        # a decay of 2 c is the step of c ||parameter||^2, of all parameters; the norm term leaves biases out
        rates = {"norm_weight": norm, "weight_decay": decay}
        if self.norm_counts_biases:
            rates = {"norm_weight": torch.zeros_like(norm), "weight_decay": 2.0 * norm + decay}
        rates |= self.columns(("lr", "init_scale", "encoder_rate"))
        rates["view_strength"] = torch.ones_like(norm)
        inputs = self.data.inputs.to(self.device)
        if config.network == "linear" and config.optimiser == "sgd" and config.view == "none":
            return SharedLinear(inputs, self.data.n_clusters, self.seeds, rates)
        start = None
        if config.start == "simclr":
            asked = PretextConfig(network=config.network, n_epochs=config.pretext_epochs)
            found = pretrained(asked, self.seeds, self.data, self.device)
            self.made, start = found.stages, found.parts["encoder"]
        shape = Shape(
            network=config.network,
            hidden=(config.hidden_width,),
            batch_norm=False,
            optimiser=config.optimiser,
            momentum=0.0,
            view=config.view,
            n_views=config.n_views,
            start=start,
        )
        return NetworkHead(inputs, self.data.n_clusters, self.seeds, rates, shape)

    def stages(self) -> Sequence[Sequence[Stage]]:
        """Return each member's start, where it was made once."""
        return self.made

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
        return self.targets(*predictions(joined(self.head.outputs(self.head.inputs), len(self.data))))

    def fit_epoch(self) -> None:
        """Take a step for every batch."""
        self.losses = torch.zeros_like(self.losses)
        self.head.begin_epoch()
        order = self.order.permutation(len(self.data))
        stored = self.targets_of_epoch()
        for place, cut in enumerate(self.cuts):
            rows = order[:, cut]
            logits = self.head.logits(rows)
            seen = predictions(logits[0])
            targets = self.targets(*seen) if stored is None else self._picked(stored, rows)
            loss, slope = self.loss(seen, targets)
            apart, slopes = self_augmentation(seen, logits[1:], self.column("view_weight"))
            self.head.step([slope + slopes[0] if len(logits) > 1 else slope, *slopes[1:]])
            self.losses += loss + apart
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
        if last:
            logits = joined(self.head.outputs(self.scored), len(self.data.eval_inputs))
            found, columns = largest(logits), of_predictions(logits, squared.sqrt())
        else:
            found, columns = torch.cat(list(map(largest, self.head.outputs(self.scored))), 1), {}
        columns |= self.diagnostics() | of_weights(norms)
        columns |= dict(zip(BATCH_FACTS, self.logged.unbind(1), strict=True))
        rows = score(found, self.data, self.data.n_clusters, last)
        if self.norm_counts_biases and isinstance(self.head, SharedLinear):
            squared = squared + self.head.bias.double().square().sum(1)
        losses = self.losses + self.column("norm_weight") * squared
        add_columns(rows, {"metric.loss": losses, **diagnostics(columns)})
        return rows

    @classmethod
    def max_members(cls, config: SoftmaxConfig, data: Dataset) -> int:
        """Return as many as the network gains from."""
        most = members_at_most(config.network, data.inputs.shape[1:])
        return min(most, members_at_once(len(data.eval_inputs), data.n_clusters))
