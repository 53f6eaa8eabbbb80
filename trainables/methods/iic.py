"""IIC, invariant information clustering (1807.06653): a point and its view have as much information as they can.

    L = -I of the joint table of both assignments, averaged over the sub-heads of a head

In the order in which to read: Config; the networks, an encoder and one linear layer that holds the sub-heads of both
heads side by side; the epoch, a pass for the overclustering head and then one for the other; the loss; the assignment,
by the sub-head whose loss was least in its last pass (no label is read; the paper reports such a choice too).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from orchestrator.knobs import Choice, Float, Int, knob
from trainables.data.dataset import Dataset
from trainables.data.transforms import sobel
from trainables.heads.batch_training import BatchConfig, BatchTraining, Terms
from trainables.losses.mutual_information import invariant_information
from trainables.networks import Mlp, Network, backbone

__all__ = ["METHOD", "Iic", "IicConfig"]


@dataclass(frozen=True, kw_only=True)
class IicConfig(BatchConfig):
    """The settings of its code for CIFAR-10 (a ResNet-34 or a VGG there, batches of 660, 2,000 epochs)."""

    overclustering: int = knob(7, Int(1, 10, also=(0,)))
    """Clusters of the auxiliary head over those of the main one (5 on MNIST); 0: there is none."""
    sub_heads: int = knob(5, Int(1, 10))
    """Sub-heads of each head, each with first weights of its own."""
    exponent: float = knob(1.0, Float(1.0, 4.0), fuses=True)
    """lambda on the marginals: 1 is mutual information, more asks for more even clusters."""
    pairs: int = knob(1, Int(1, 5))
    """Views that each point is paired with in a batch (3 in the code's larger runs)."""
    edges: bool = knob(False, Choice(False, True))
    """Whether images are replaced by their two Sobel derivatives, as the code does for colour images."""
    lr: float = knob(1e-4, Float(1e-5, 1e-1, log=True), fuses=True)
    """Adam's rate."""
    batch_size: int = knob(660, Int(16, 2048, log=True))
    """Points per step; joint tables want several times as many as there are clusters."""


class Iic(BatchTraining):
    """Encoder and two heads of several sub-heads."""

    Config = IicConfig
    version = 1
    member_state = (*BatchTraining.member_state, "main_optimiser", "auxiliary_optimiser", "scores")

    def __init__(self, configs: Sequence[IicConfig], seeds: Sequence[int], data: Dataset, device: torch.device) -> None:
        super().__init__(configs, seeds, data, device)
        self.main_optimiser, self.auxiliary_optimiser = self.optimiser_of(configs[0]), self.optimiser_of(configs[0])
        self.scores = torch.zeros(len(self), configs[0].sub_heads, device=device)
        """Mean loss of each sub-head of the main head in its last pass."""
        self.auxiliary = False

    def n_views(self, config: IicConfig) -> int:
        """Return as many as a point has pairs."""
        return config.pairs

    def networks(self, config: IicConfig) -> dict[str, Network]:
        """Return encoder and heads; the main head is drawn first, so that a run without the other has the same."""
        shape = self.inputs.shape[1:]
        if config.edges and self.data.is_image:
            shape = torch.Size((2, *shape[1:]))
        encoder = backbone(config.network, shape, self.streams("encoder"), config.encoder_width)
        parts: dict[str, Network] = {"encoder": encoder}
        width, heads = encoder.out_features, config.sub_heads
        parts["main"] = Mlp((width, heads * self.n_clusters), self.streams("main"))
        if config.overclustering:
            outputs = heads * self.n_clusters * config.overclustering
            parts["auxiliary"] = Mlp((width, outputs), self.streams("auxiliary"))
        return parts

    def fit_epoch(self) -> None:
        """Train on every point once for each head; what is logged is the main head's."""
        self.auxiliary = bool(self.configs[0].overclustering)
        if self.auxiliary:
            self.pass_over()
        self.auxiliary = False
        self.scores = torch.zeros_like(self.scores)
        super().fit_epoch()

    def loss(self, rows: Tensor, points: Tensor, views: Sequence[Tensor]) -> Terms:
        """Return the mean over the sub-heads of the head whose pass it is."""
        del rows
        plain = self._assignments(points)
        seen = [self._assignments(view) for view in views]
        losses = []
        for head, own in enumerate(plain):
            others = torch.cat([view[head] for view in seen], 1)
            losses.append(invariant_information(torch.cat([own] * len(seen), 1), others, self.column("exponent")))
        if not self.auxiliary:
            self.scores += torch.stack(losses, 1).detach()
        return sum(losses, torch.zeros_like(losses[0])) / len(losses), ()

    def step(self, loss: Tensor) -> None:
        """Descend with the encoder and the head whose pass it is; the other head and its moments stay as they are."""
        name = "auxiliary" if self.auxiliary else "main"
        encoder, head = self.parts["encoder"].params, self.parts[name].params
        grads = torch.autograd.grad(loss.sum(), [*encoder, *head])
        self.optimiser.step(encoder, grads[: len(encoder)])
        (self.auxiliary_optimiser if self.auxiliary else self.main_optimiser).step(head, grads[len(encoder) :])

    def _assignments(self, points: Tensor, train: bool = True) -> Sequence[Tensor]:
        """Return soft assignments (M, B, K') of each sub-head of the head whose pass it is."""
        if self.configs[0].edges and self.data.is_image:
            points = sobel(points)
        head = self.parts["auxiliary" if self.auxiliary else "main"]
        outputs = head(self.parts["encoder"](points, train), train)
        return [part.softmax(2) for part in outputs.chunk(self.configs[0].sub_heads, 2)]

    def assigned(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the largest output of the main head's best sub-head."""
        edged = sobel(inputs) if self.configs[0].edges and self.data.is_image else inputs
        features = self.parts["encoder"].embed(edged)
        outputs = self.parts["main"](features, False).chunk(self.configs[0].sub_heads, 2)
        best = self.scores.argmin(1).tolist()
        labels = [outputs[head][member].argmax(1) for member, head in enumerate(best)]
        return torch.stack(labels), features

    def diagnostics(self) -> dict[str, Tensor]:
        """Return which sub-head is scored, and how far apart the sub-heads' losses are."""
        losses = self.scores / len(self.cuts)
        return {"sub_head": self.scores.argmin(1), "sub_head_range": losses.amax(1) - losses.amin(1)}


Config, METHOD = IicConfig, Iic
