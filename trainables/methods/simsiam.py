"""SimSiam (2011.10566): a view's prediction meets the other view's projection, which takes no gradient; then k-means.

    L = -(cos(p_1, sg z_2) + cos(p_2, sg z_1)) / 2

In the order in which to read: Config; the three networks; the loss; the schedule, which leaves the predictor's rate as
it is; k-means on the encoder's features every r epochs, which makes the clusters (a row of ProPos' table; SimSiam's own
paper does not cluster).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from orchestrator.errors import RequestError
from orchestrator.knobs import Float, Int, knob
from trainables.assignment.spherical_kmeans import spherical_kmeans
from trainables.data.dataset import Dataset
from trainables.diagnostics.sphere import partition_change
from trainables.heads.batch_training import BatchConfig, BatchTraining, Terms
from trainables.heads.optimisers import Sgd, cosine
from trainables.losses.positive_proximity import positive_proximity
from trainables.losses.sphere import nearest_centres, unit
from trainables.networks import Mlp, Network
from trainables.randomness import Streams

__all__ = ["METHOD", "SimSiam", "SimSiamConfig"]


@dataclass(frozen=True, kw_only=True)
class SimSiamConfig(BatchConfig):
    """The paper's for CIFAR-10 (appendix D): 800 epochs of a ResNet-18; widths are those of its code for ImageNet."""

    lr: float = knob(0.03, Float(1e-4, 1.0, log=True), fuses=True)
    """Learning rate for a batch of 256; scaled in proportion to the batch. Cosine decay to 0 by epoch."""
    momentum: float = knob(0.9, Float(0.0, 0.99), fuses=True)
    """Of SGD."""
    weight_decay: float = knob(5e-4, Float(1e-6, 1e-1, log=True, also=(0.0,)), fuses=True)
    """Of every trained tensor."""
    batch_size: int = knob(512, Int(16, 2048, log=True))
    """Points per step, as near as an even split of the epoch allows."""
    projection_dim: int = knob(2048, Int(8, 2048, log=True))
    """Hidden and last width of the projector's three layers, each with a batch norm, the last without scale."""
    predictor_dim: int = knob(512, Int(8, 2048, log=True))
    """Hidden width of the predictor: a quarter of the projection's."""
    kmeans_every: int = knob(10, Int(1, 50, log=True), fuses=True)
    """Epochs between two k-means runs; the last epoch always ends with one."""
    kmeans_restarts: int = knob(10, Int(1, 10))
    """Starts of each k-means; the best objective wins."""


class SimSiam(BatchTraining):
    """Encoder, projector and predictor; labels from spherical k-means on the encoder's features."""

    Config = SimSiamConfig
    version = 1
    member_state = (*BatchTraining.member_state, "predictor_optimiser", "starts", "labels", "centres", "change")
    logged_names = ("projection_std",)

    def __init__(
        self, configs: Sequence[SimSiamConfig], seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        super().__init__(configs, seeds, data, device)
        if len(data) < self.n_clusters:
            raise RequestError(
                f"simsiam: {self.n_clusters} clusters, allowed: at most the {len(data)} points there are"
            )
        self.predictor_optimiser = self.optimiser_of(configs[0])
        self.starts = Streams(seeds, "kmeans", device)
        self.labels = torch.zeros(len(self), len(data), dtype=torch.int64, device=device)
        width = self.parts["encoder"].out_features
        self.centres = torch.zeros(len(self), self.n_clusters, width, device=device)
        self.change = torch.zeros(len(self), device=device)
        self._relabel(list(range(len(self))))

    def networks(self, config: SimSiamConfig) -> dict[str, Network]:
        """Return the encoder, a projector of three layers with batch norms, and a predictor with a bottleneck."""
        encoder, wide = self.encoder(config), config.projection_dim
        widths = (encoder.out_features, wide, wide, wide)
        return {
            "encoder": encoder,
            "projector": Mlp(widths, self.streams("projector"), norm=True, norm_out=True),
            "predictor": Mlp((wide, config.predictor_dim, wide), self.streams("predictor"), norm=True),
        }

    def optimiser_of(self, config: SimSiamConfig) -> Sgd:
        """Return SGD; the predictor has one of its own."""
        rate = self.column("lr") * min(config.batch_size, len(self.data)) / 256
        return Sgd(rate, momentum=self.column("momentum"), weight_decay=self.column("weight_decay"))

    def loss(self, rows: Tensor, points: Tensor, views: Sequence[Tensor]) -> Terms:
        """Return minus the mean cosine over both directions, in [-1, 1]."""
        del rows, points
        projected = [self.parts["projector"](self.parts["encoder"](view)) for view in views]
        predicted = [self.parts["predictor"](each) for each in projected]
        apart = positive_proximity(predicted[0], projected[1]) + positive_proximity(predicted[1], projected[0])
        spread = [unit(own).std(0).mean() for own in projected[0].detach()]  # in turn: see diagnostics.sphere
        return apart / 4.0 - 1.0, (torch.stack(spread),)

    def step(self, loss: Tensor) -> None:
        """Descend; only the encoder's and the projector's rates decay."""
        body = [*self.parts["encoder"].params, *self.parts["projector"].params]
        predictor = self.parts["predictor"].params
        grads = torch.autograd.grad(loss.sum(), [*body, *predictor])
        self.optimiser.step(body, grads[: len(body)], cosine(self.epoch, self.column("n_epochs")))
        self.predictor_optimiser.step(predictor, grads[len(body) :])

    def fit_epoch(self) -> None:
        """Train on every point once; then run k-means for the members whose r-th epoch this was."""
        super().fit_epoch()
        due = (self.epoch % self.column("kmeans_every") == 0) | (self.epoch >= self.column("n_epochs"))
        self._relabel(due.nonzero()[:, 0].tolist())

    @torch.no_grad()
    def _relabel(self, due: list[int]) -> None:
        """Run spherical k-means on the due members' features of the plain inputs; only they draw for it."""
        if not due:
            return
        draws = self.starts.of(due).uniform(self.configs[0].kmeans_restarts, self.n_clusters)
        found = spherical_kmeans(self.parts["encoder"].embed(self.inputs)[due], draws)
        self.change[due] = partition_change(self.labels[due], found.labels, self.n_clusters).to(self.device)
        self.labels[due], self.centres[due] = found.labels, found.centres

    def assigned(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the last k-means labels; what is not in the training part goes to the nearest of its centres."""
        features = self.parts["encoder"].embed(inputs)
        if self.data.eval_inputs is self.data.inputs:
            return self.labels.clone(), features
        return nearest_centres(features, self.centres), features

    def diagnostics(self) -> dict[str, Tensor]:
        """Return how much the last k-means changed the clusters: 1 - NMI."""
        return {"label_change": self.change}


Config, METHOD = SimSiamConfig, SimSiam
