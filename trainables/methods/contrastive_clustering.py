"""CC, contrastive clustering (2009.09687): instances find their other view, and so do clusters, in one network.

    L = NT-Xent of instances + NT-Xent of clusters + sum over both views of (ln K - H(mean assignment))

In the order in which to read: Config; the three networks; the loss (its two terms are `losses.contrastive`); the
assignment, which is the largest output of the cluster head. Settings are those of the paper and its code; the network
is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from orchestrator.knobs import Float, Int, knob
from trainables.heads.batch_training import BatchConfig, BatchTraining, Terms
from trainables.losses.contrastive import cluster_contrast, normalised_cross_entropy
from trainables.losses.sphere import unit
from trainables.networks import Mlp, Network

__all__ = ["METHOD", "ContrastiveClustering", "ContrastiveClusteringConfig"]


@dataclass(frozen=True, kw_only=True)
class ContrastiveClusteringConfig(BatchConfig):
    """The paper's: 1,000 epochs of a ResNet-34 on images scaled to 224 x 224."""

    instance_temperature: float = knob(0.5, Float(0.05, 2.0, log=True), fuses=True)
    """tau_I."""
    cluster_temperature: float = knob(1.0, Float(0.05, 2.0, log=True), fuses=True)
    """tau_C."""
    lr: float = knob(3e-4, Float(1e-5, 1e-1, log=True), fuses=True)
    """Adam's rate."""
    projection_dim: int = knob(128, Int(8, 512, log=True))
    """Length of an instance's projection."""


class ContrastiveClustering(BatchTraining):
    """Encoder, and a head of two layers for instances and one for clusters."""

    Config = ContrastiveClusteringConfig
    version = 1
    logged_names = ("instance_loss", "cluster_loss", "fairness")

    def networks(self, config: ContrastiveClusteringConfig) -> dict[str, Network]:
        """Return encoder and heads; both heads have a hidden layer as wide as the features, without batch norm."""
        encoder = self.encoder(config)
        width = encoder.out_features
        return {
            "encoder": encoder,
            "instances": Mlp((width, width, config.projection_dim), self.streams("instances")),
            "clusters": Mlp((width, width, self.n_clusters), self.streams("clusters")),
        }

    def loss(self, rows: Tensor, points: Tensor, views: Sequence[Tensor]) -> Terms:
        """Return the sum of the three terms."""
        del rows, points
        features = [self.parts["encoder"](view) for view in views]
        projected = [unit(self.parts["instances"](each)) for each in features]
        assigned = [self.parts["clusters"](each).softmax(2) for each in features]
        of_instances = normalised_cross_entropy(projected[0], projected[1], self.column("instance_temperature"))
        of_clusters, fairness = cluster_contrast(assigned[0], assigned[1], self.column("cluster_temperature"))
        return of_instances + of_clusters + fairness, (of_instances, of_clusters, fairness)

    def assigned(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the largest output of the cluster head."""
        features = self.parts["encoder"].embed(inputs)
        return self.parts["clusters"](features, False).argmax(2), features


Config, METHOD = ContrastiveClusteringConfig, ContrastiveClustering
