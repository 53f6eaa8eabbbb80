"""Training of networks batch by batch on views of the points: what methods with one loss and one optimiser share.

A method names its networks, its loss and how it assigns points; data order, views, steps, logging and scoring are here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from orchestrator.knobs import Choice, Float, Int, knob
from orchestrator.trial import PRECISIONS
from trainables.data.augmentations import Augmentation, Views
from trainables.data.batches import cuts
from trainables.data.dataset import Dataset
from trainables.data.views import VIEWS
from trainables.heads.optimisers import Adam, Sgd
from trainables.method import FusedMethod, MethodConfig, Row
from trainables.networks import NETWORKS, Network, Parts, backbone, members_at_most
from trainables.randomness import Streams
from trainables.scoring import add_columns, diagnostics, score

__all__ = ["BatchConfig", "BatchTraining", "Terms"]

Terms = tuple[Tensor, Sequence[Tensor]]
"""(M,) loss of a batch, and the (M,) numbers of it that `logged_names` names."""


@dataclass(frozen=True, kw_only=True)
class BatchConfig(MethodConfig):
    """Network, views, batch and rates; methods put their papers' defaults in their place."""

    network: str = knob("mlp", Choice(*NETWORKS))
    """Encoder; the papers' are residual networks, which do not fuse."""
    encoder_width: int = knob(512, Int(16, 2048, log=True), when={"network": ("linear", "mlp")})
    """Width of the encoder's layers where the network has none of its own."""
    view: str = knob("standard", Choice("standard", *VIEWS))
    """What makes a view: `standard` is `byol` for images, `noise_dropout` for vectors (ours)."""
    view_strength: float = knob(1.0, Float(0.0, 2.0), fuses=True)
    """Factor on every range and probability of the view."""
    batch_size: int = knob(256, Int(16, 2048, log=True))
    """Points per step, as near as an even split of the epoch allows."""
    lr: float = knob(1e-3, Float(1e-5, 1.0, log=True), fuses=True)
    """Learning rate."""
    weight_decay: float = knob(0.0, Float(1e-6, 1e-1, log=True, also=(0.0,)), fuses=True)
    """Of every trained tensor."""


class BatchTraining(FusedMethod):
    """Networks of all members; a step of one optimiser for each batch of the epoch."""

    precisions = PRECISIONS
    member_state: ClassVar[tuple[str, ...]] = ("parts", "optimiser", "order", "views", "logged")
    image_view: ClassVar[str] = "byol"
    """What `standard` is for images."""
    logged_names: ClassVar[tuple[str, ...]] = ()
    """Diagnostics that `loss` returns, averaged over the epoch."""

    def __init__(
        self, configs: Sequence[BatchConfig], seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        super().__init__(configs, seeds, data, device)
        config = self.configs[0]
        self.inputs, self.cuts = data.inputs.to(device), cuts(len(data), config.batch_size)
        self.n_clusters = data.n_clusters
        self.parts = Parts(self.networks(config))
        self.optimiser = self.optimiser_of(config)
        self.order = Streams(seeds, "order", device)
        self.views = Views(self._view(config, place) for place in range(self.n_views(config)))
        self.logged = torch.zeros(len(self), 1 + len(self.logged_names), device=device)

    def n_views(self, config: Any) -> int:
        """Return how many views of each batch `loss` is given."""
        del config
        return 2

    def _view(self, config: BatchConfig, place: int) -> Augmentation:
        name = config.view
        if name == "standard":
            name = self.image_view if self.data.is_image else "noise_dropout"
        return Augmentation(name, self.inputs, self.seeds, f"view.{place}", self.column("view_strength"))

    def streams(self, what: str) -> Streams:
        """Return the initialisation streams of one network."""
        return Streams(self.seeds, f"init.{what}", self.device)

    def encoder(self, config: BatchConfig) -> Network:
        """Return the encoder that the config names, for the shape of the inputs."""
        return backbone(config.network, self.inputs.shape[1:], self.streams("encoder"), config.encoder_width)

    @abstractmethod
    def networks(self, config: Any) -> dict[str, Network]:
        """Return the networks that are trained, by name."""

    def optimiser_of(self, config: Any) -> Adam | Sgd:
        """Return the optimiser of all parameters."""
        return Adam(self.column("lr"), weight_decay=self.column("weight_decay"))

    @abstractmethod
    def loss(self, rows: Tensor, points: Tensor, views: Sequence[Tensor]) -> Terms:
        """Return the loss of a batch: which points (M, B), these points (M, B, ...) as they are, and their views."""

    @abstractmethod
    def assigned(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the cluster of each of inputs (N, ...), (M, N), and their features (M, N, d), if there are any."""

    def scale(self) -> Tensor | float:
        """Return the factor on the learning rate in this epoch, (M,) or one."""
        return 1.0

    def fit_epoch(self) -> None:
        """Train on every point once."""
        self.logged = torch.zeros_like(self.logged)
        self.pass_over()
        self.epoch += 1

    def pass_over(self) -> None:
        """Take a step for each batch of one pass over the points, and add its means to what is logged."""
        self.views.begin_epoch()
        order = self.order.permutation(len(self.inputs))
        for cut in self.cuts:
            rows = order[:, cut]
            points = self.inputs[rows]
            loss, facts = self.loss(rows, points, self.seen(rows, points))
            self.step(loss)
            told = torch.stack([number.detach() for number in (loss, *facts)], 1)
            self.logged += told / len(self.cuts)

    def seen(self, rows: Tensor, points: Tensor) -> list[Tensor]:
        """Return the views of a batch that `loss` is given."""
        return [view(points, rows) for view in self.views]

    def step(self, loss: Tensor) -> None:
        """Descend by the gradients of the members' losses (M,)."""
        params = self.parts.params
        self.optimiser.step(params, torch.autograd.grad(loss.sum(), params), self.scale())

    def diagnostics(self) -> dict[str, Tensor]:
        """Return columns (M,) beside those that training logs."""
        return {}

    @torch.no_grad()
    def evaluate(self, last: bool) -> list[Row]:
        """Score the clusters of plain inputs."""
        labels, features = self.assigned(self.data.eval_inputs.to(self.device))
        rows = score(labels, self.data, self.n_clusters, last, features)
        loss, *logged = self.logged.unbind(1)
        told = dict(zip(self.logged_names, logged, strict=True)) | self.diagnostics()
        add_columns(rows, {"metric.loss": loss, **diagnostics(told)})
        return rows

    @classmethod
    def max_members(cls, config: Any, data: Dataset) -> int:
        """Return what the network gains by; wide layers keep a core busy alone."""
        most = members_at_most(config.network, data.inputs.shape[1:])
        return min(most, 16 if config.encoder_width <= 512 else 4)
