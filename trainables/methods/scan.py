"""SCAN (2005.12320): neighbours of a pretext get one cluster, all clusters are used; then sure points teach others.

    stage 1: an encoder by SimCLR, or none where the inputs are features already; each point's nearest neighbours
    stage 2: mean_i -ln <sigma_i, sigma_n(i)> - w H(mean sigma), n(i) drawn from the point itself and its neighbours
    stage 3: cross-entropy of a strong view with the label of a weak one, where that is sure (self-labelling)

In the order in which to read: Config; how a member begins (pretext, neighbours, networks); an epoch of stage 2, whose
loss is `losses.neighbour_consistency`; an epoch of stage 3, which is `heads.self_labelling`; the assignment, by the
head whose loss was least in the last epoch of stage 2. Settings are those of SCAN's code for CIFAR-10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from orchestrator.knobs import Choice, Float, Int, knob
from orchestrator.trial import Stage
from trainables.data.augmentations import Augmentation
from trainables.data.batches import cuts
from trainables.data.dataset import Dataset
from trainables.data.neighbours import nearest
from trainables.data.views import VIEWS
from trainables.heads.batch_training import BatchConfig, BatchTraining, Terms
from trainables.heads.optimisers import Adam
from trainables.heads.pretext import SHARED, PretextConfig, pretrained
from trainables.heads.self_labelling import SelfLabelling
from trainables.losses.neighbour_consistency import neighbour_consistency
from trainables.losses.sphere import unit
from trainables.networks import Mlp, Network
from trainables.randomness import Streams

__all__ = ["METHOD", "Scan", "ScanConfig"]

PRETRAINED = {"pretext": ("simclr",)}


@dataclass(frozen=True, kw_only=True)
class ScanConfig(BatchConfig):
    """SCAN's code for CIFAR-10: 500 epochs of pretext, 50 of clustering, 200 of self-labelling; a ResNet-18."""

    pretext: str = knob("simclr", Choice("simclr", "none"))
    """Stage 1; `none`: neighbours of the inputs as they are, for features of a frozen encoder (`features=...`)."""
    pretext_factor: float = knob(2.0, Float(0.1, 20.0, log=True), when=PRETRAINED)
    """Epochs of stage 1 over those of the other two together (500 / 250)."""
    pretext_lr: float = knob(0.4, Float(1e-3, 10.0, log=True), when=PRETRAINED)
    """SGD's rate in stage 1 for a batch of 512, scaled in proportion."""
    pretext_temperature: float = knob(0.1, Float(0.02, 2.0, log=True), when=PRETRAINED)
    """Of NT-Xent in stage 1."""
    pretext_seed: str = knob("own", Choice("own", "shared"), when=PRETRAINED)
    """Whether each seed has an encoder of its own, or all have one: then results vary less than the method does."""
    neighbours: int = knob(20, Int(1, 50))
    """Nearest neighbours of a point (50 on ImageNet)."""
    entropy_weight: float = knob(5.0, Float(0.1, 100.0, log=True), fuses=True)
    """w of stage 2."""
    heads: int = knob(1, Int(1, 10))
    """Linear heads that are trained side by side (10 on ImageNet)."""
    weak_view: str = knob("crop", Choice(*VIEWS))
    """What makes the views that give labels in stage 3; none for vectors. Those of stage 2, and those that are trained
    in stage 3, are `view`: SCAN's are four operations of RandAugment and a cutout, for which `strong` stands in."""
    lr: float = knob(1e-4, Float(1e-5, 1e-1, log=True), fuses=True)
    """Adam's rate in stages 2 and 3."""
    weight_decay: float = knob(1e-4, Float(1e-6, 1e-1, log=True, also=(0.0,)), fuses=True)
    """Of every trained tensor."""
    batch_size: int = knob(128, Int(16, 2048, log=True))
    """Points per step of stage 2."""
    self_label_share: float = knob(0.8, Float(0.05, 0.95, also=(0.0,)))
    """Share of the epochs that are stage 3 (200 / 250)."""
    self_label_threshold: float = knob(0.99, Float(0.5, 0.999), fuses=True)
    """Least confidence of a label."""
    self_label_batch: int = knob(1000, Int(16, 2048, log=True))
    """Points per step of stage 3."""


class Scan(BatchTraining):
    """Encoder and heads; neighbours of every point; the stage that follows."""

    Config = ScanConfig
    version = 1
    member_state = (*BatchTraining.member_state, "near", "picks", "scores", "stage")
    image_view = "strong"
    logged_names = ("consistency", "entropy")

    def __init__(
        self, configs: Sequence[ScanConfig], seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        self.made: Sequence[Sequence[Stage]] = ()
        super().__init__(configs, seeds, data, device)
        config = configs[0]
        self.picks = Streams(seeds, "neighbours", device)
        self.scores = torch.zeros(len(self), config.heads, device=device)
        """Mean loss of each head in the last epoch of stage 2."""
        strength = self.column("view_strength")
        weak = Augmentation(config.weak_view if data.is_image else "none", self.inputs, seeds, "view.weak", strength)
        strong = Augmentation(self.views[0].view, self.inputs, seeds, "view.strong", strength)
        self.stage = SelfLabelling(weak, strong, self.optimiser_of(config), balanced=True, training_labels=True)

    def networks(self, config: ScanConfig) -> dict[str, Network]:
        """Return the pretext's encoder or a new one, and linear heads side by side; neighbours are found on the way."""
        if config.pretext == "simclr":
            asked = PretextConfig(
                network=config.network,
                encoder_width=config.encoder_width,
                lr=config.pretext_lr,
                temperature=config.pretext_temperature,
                n_epochs=max(1, round(config.pretext_factor * config.n_epochs)),
            )
            seeds = self.seeds if config.pretext_seed == "own" else [SHARED] * len(self)
            found = pretrained(asked, seeds, self.data, self.device)
            self.made, encoder, rows = found.stages, found.parts["encoder"], found.projections(self.inputs)
        else:
            encoder, rows = self.encoder(config), unit(self.inputs.flatten(1)).expand(1, -1, -1)
        own = torch.arange(len(self.inputs), device=self.device)[:, None]
        lists = []
        for each in rows:
            lists.append(torch.cat([own, nearest(each, config.neighbours).indices], 1))
        self.near = torch.stack(lists).expand(len(self), -1, -1).clone()
        """(M, N, 1 + k): each point, then its neighbours."""
        outputs = config.heads * self.n_clusters
        return {"encoder": encoder, "heads": Mlp((encoder.out_features, outputs), self.streams("heads"))}

    def stages(self) -> Sequence[Sequence[Stage]]:
        """Return each member's pretext."""
        return self.made

    def optimiser_of(self, config: ScanConfig) -> Adam:
        """Return Adam; stage 3 begins with one of its own."""
        return Adam(self.column("lr"), weight_decay=self.column("weight_decay"))

    @property
    def horizon(self) -> int:
        """Epochs of stage 2, at least one."""
        config = self.configs[0]
        after: int = round(config.self_label_share * config.n_epochs)
        return max(1, int(config.n_epochs) - after)

    def fit_epoch(self) -> None:
        """Train for one epoch of stage 2 or of stage 3."""
        if self.epoch < self.horizon:
            self.scores = torch.zeros_like(self.scores)
            self.drawn = self.picks.uniform(len(self.inputs))
            super().fit_epoch()
        else:
            self._self_label_epoch()

    def seen(self, rows: Tensor, points: Tensor) -> list[Tensor]:
        """Return a view of the points, and one of a neighbour of each."""
        place = (self.drawn.gather(1, rows) * self.near.shape[2]).long().clamp_max(self.near.shape[2] - 1)
        members = torch.arange(len(self), device=rows.device).unsqueeze(1)
        partners = self.near[members, rows, place]
        return [self.views[0](points, rows), self.views[1](self.inputs[partners], partners)]

    def loss(self, rows: Tensor, points: Tensor, views: Sequence[Tensor]) -> Terms:
        """Return the sum over the heads; what is logged is the first head's."""
        del rows, points
        heads, weight = self.configs[0].heads, self.column("entropy_weight")
        anchors, partners = self._logits(views[0]).chunk(heads, 2), self._logits(views[1]).chunk(heads, 2)
        terms, each = [], []
        for one, other in zip(anchors, partners, strict=True):
            consistency, entropy = neighbour_consistency(one.softmax(2), other.softmax(2))
            terms.append((consistency, entropy))
            each.append(consistency - weight * entropy)
        losses = torch.stack(each, 1)
        self.scores += losses.detach()
        return losses.sum(1), terms[0]

    def _logits(self, points: Tensor, train: bool = True) -> Tensor:
        return self.parts["heads"](self.parts["encoder"](points, train), train)

    def _of_the_best(self, outputs: Tensor) -> Tensor:
        """Return the outputs (M, B, K) of each member's head of least loss."""
        parts = outputs.chunk(self.configs[0].heads, 2)
        return torch.stack([parts[head][member] for member, head in enumerate(self.scores.argmin(1).tolist())])

    def _self_label_epoch(self) -> None:
        """Train for one epoch of stage 3: the encoder and the best head."""
        order = self.order.permutation(len(self.inputs))
        batches = [order[:, cut] for cut in cuts(len(self.inputs), self.configs[0].self_label_batch)]
        fixed = torch.zeros(len(self), 1, dtype=torch.int64, device=self.device).expand(-1, len(self.inputs))
        self.logged = torch.zeros_like(self.logged)
        self.logged[:, 0] = self.stage.epoch(
            self.inputs,
            batches,
            lambda x, train: self._of_the_best(self._logits(x, train)),
            self.parts.params,
            fixed,
            self.column("self_label_threshold"),
        )
        self.epoch += 1

    def assigned(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the largest output of the best head."""
        features = self.parts["encoder"].embed(inputs)
        return self._of_the_best(self.parts["heads"](features, False)).argmax(2), features


Config, METHOD = ScanConfig, Scan
