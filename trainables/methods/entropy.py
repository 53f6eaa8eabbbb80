"""Discriminative entropy clustering (paper 2301.11405): softmax models and pseudo-labels that make them fair.

    gamma ||v||^2 + mean_i H(sigma_i, y_i) + lambda KL(u || ybar)  (+ w L_N)                                   (42, 7)

By turns: pseudo-labels y minimise the loss for fixed predictions sigma (EM, eqs. 45-46), then a gradient step on the
model for fixed y. v are the weights of the last layer, biases not counted; u = 1/K; averages are over the batch. L_N
compares the predictions of a point with those of its views. Labels that a dataset gives hold y where they are known,
and add the standard cross-entropy on those points (the paper's semi-supervised mode).

All logit gradients are closed forms, so a linear head needs no autograd, and its members of one seed share a product.
In the order in which to read: Config; `fit_batch`, a step from predictions by labels and losses to slopes;
`pseudo_labels` (solvers are in `assignment`); `_against` and `_direct`, the losses with and without them; `evaluate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from orchestrator.errors import RequestError
from orchestrator.knobs import Choice, Float, Int, knob
from orchestrator.trial import PRECISIONS, Stage
from trainables.data.batches import cuts
from trainables.data.dataset import Dataset
from trainables.data.views import CHANGING, VIEWS
from trainables.diagnostics.entropy import BATCH_FACTS, of_batch, of_predictions, of_weights
from trainables.diagnostics.plane import of_plane
from trainables.heads.fair_labels import FORMS, N_FACTS, SOLVERS, Given, Labels, Solver, fair_labels
from trainables.heads.network_head import NetworkHead, Shape
from trainables.heads.pretext import PretextConfig, pretrained
from trainables.heads.shared_head import SharedLinear, SharedOrder, joined, members_at_once
from trainables.losses.soft_labels import (
    CROSS_ENTROPIES,
    FAIRNESS,
    FLOOR,
    fairness_of_predictions,
    forward,
    largest,
    predictions,
    renyi,
    self_augmentation,
)
from trainables.method import FusedMethod, MethodConfig, Row, fused_knobs
from trainables.networks import DEEP, NETWORKS, TRUNKS, Network, members_at_most
from trainables.scoring import add_columns, diagnostics, score

__all__ = ["METHOD", "EntropyClustering", "EntropyConfig"]

LABELLED = ("reverse", "forward", "symmetric", "collision")
WEIGHED = ("kl_u_y", "kl_y_u", "entropy", "kl_u_sigma")


@dataclass(frozen=True, kw_only=True)
class EntropyConfig(MethodConfig):
    """Defaults: fixed features, MNIST (the paper's Table 3); EM's stopping rule and the first weights are ours."""

    loss: str = knob("reverse", Choice(*LABELLED, "renyi"))
    """Cross-entropy of predictions and pseudo-labels: reverse H(sigma, y), the paper's; forward H(y, sigma); symmetric,
    half of each; collision -ln sum sigma y. `renyi` is (48), without pseudo-labels: Renyi entropy of sigma, and the
    fairness term of sbar (order 1, fairness entropy and weight 1: mutual information, MIGD)."""
    renyi_order: float | str = knob(1.0, Choice(0.1, 0.5, 1.0, 2.0, 5.0, "inf"), when={"loss": ("renyi",)})
    """alpha of (48)."""
    fairness: str = knob("kl_u_y", Choice(*FORMS))
    """Fairness term: kl_u_y KL(u || ybar), the paper's; kl_y_u KL(ybar || u); entropy -H(ybar), the same but for the
    constant ln K; transport, equal sizes exactly (hard labels); kl_u_sigma KL(u || sbar), where y = sigma; none."""
    fairness_weight: float = knob(100.0, Float(1.0, 1000.0, log=True), fuses=True, when={"fairness": WEIGHED})
    """lambda of eq. (42)."""
    norm_weight: float = knob(1e-3, Float(1e-6, 1.0, log=True, also=(0.0,)), fuses=True)
    """gamma of eq. (42); its gradient is 2 gamma v (the paper does not say which convention it uses)."""
    update: str = knob("batch", Choice("batch", "tenth", "epoch"), when={"loss": LABELLED})
    """When pseudo-labels are made: for each batch, or for all points at the start of each epoch (Fig. 12) or of each
    tenth of one."""
    solver: str = knob("em", Choice(*SOLVERS), when={"loss": LABELLED, "fairness": ("kl_u_y",)})
    """Solver of the paper's fairness form. EM within its cap is the paper's; Newton is exact, and clusters worse."""
    label_start: str = knob(
        "sigma", Choice("sigma", "previous"), when={"loss": LABELLED, "fairness": ("kl_u_y",), "solver": ("em",)}
    )
    """Where EM starts: at the predictions, as in the paper, or at the labels that the points had before."""
    solver_tolerance: float = knob(
        1e-6, Float(1e-10, 1e-2, log=True), when={"fairness": ("kl_u_y", "kl_y_u", "entropy")}
    )
    """EM stops at this relative decrease of the objective an iteration (looked at every fifth one), mirror descent of a
    step, Newton (kl_y_u, entropy) at this duality gap."""
    solver_iterations: int = knob(
        15, Int(1, 1000, log=True), when={"fairness": ("kl_u_y",), "solver": ("em", "mirror_descent")}
    )
    """Cap on iterations of EM and mirror descent ("within 15 steps")."""
    optimiser: str = knob("sgd", Choice("sgd", "adam"))
    """SGD with fixed features, Adam for networks in the paper."""
    lr: float = knob(0.1, Float(1e-5, 10.0, log=True), fuses=True)
    """Learning rate (networks: 1e-4)."""
    momentum: float = knob(0.0, Float(0.0, 0.99), when={"optimiser": ("sgd",)})
    """Momentum of SGD."""
    weight_decay: float = knob(0.0, Float(1e-6, 0.1, log=True, also=(0.0,)), fuses=True)
    """Decay of all weights and biases: coefficient of the parameter in its gradient (networks: 0.01)."""
    batch_size: int = knob(250, Int(16, 2000, log=True))
    """Points a batch, as near as equal batches come; N of eqs. (45)-(46)."""
    network: str = knob("linear", Choice(*NETWORKS))
    """What turns an input into K logits."""
    hidden_width: int = knob(64, Int(8, 1024, log=True), when={"network": ("mlp",)})
    """Width of an MLP's hidden layers."""
    hidden_layers: int = knob(1, Int(1, 4), when={"network": ("mlp",)})
    """Hidden layers of an MLP."""
    batch_norm: bool = knob(False, Choice(False, True), when={"network": ("mlp",)})
    """Batch norm behind an MLP's hidden layers."""
    start: str = knob("random", Choice("random", "simclr"), when={"network": tuple(TRUNKS)})
    """First weights of a convolution network: drawn, or those of a SimCLR made once for the seed, SCAN's first stage,
    where the paper's ResNet-18 begins (`trainables.heads.pretext`)."""
    pretext_epochs: int = knob(500, Int(1, 1000, log=True), when={"start": ("simclr",)})
    """Epochs of that SimCLR."""
    encoder_rate: float = knob(1.0, Float(1e-8, 1.0, log=True), fuses=True, when={"network": DEEP})
    """Factor on the learning rate of all layers but the last (its ResNet-18: 0.1 for the last, a power of ten that
    could not be read for the others)."""
    init_scale: float = knob(1.0, Float(1e-3, 10.0, log=True), fuses=True)
    """Factor on the last layer's first weights, drawn from U(-1/sqrt(d), 1/sqrt(d)): small logits leave collapse
    sooner."""
    init_gap: float = knob(0.0, Float(0.1, 30.0, log=True, also=(0.0,)), fuses=True)
    """Added to the first class's first bias: a start at collapse, to measure how soon a loss escapes from it."""
    view: str = knob("none", Choice(*VIEWS))
    """Augmentation of L_N."""
    view_strength: float = knob(1.0, Float(0.0, 2.0), fuses=True, when={"view": CHANGING})
    """Factor on every range and probability of the view."""
    n_views: int = knob(1, Int(1, 4), when={"view": CHANGING})
    """Views a point (two with VGG4, one with ResNet-18 in the paper)."""
    view_weight: float = knob(0.2, Float(0.01, 10.0, log=True, also=(0.0,)), fuses=True, when={"view": CHANGING})
    """Weight of L_N (0.5 STL10, 0.2 CIFAR10, 0.4 CIFAR100 with ResNet-18; not found for VGG4)."""
    supervised_weight: float = knob(1.0, Float(0.01, 100.0, log=True, also=(0.0,)), fuses=True)
    """Weight of the standard cross-entropy on points whose labels are given; without any it has no effect."""
    given_softness: float = knob(0.0, Float(0.0, 1.0), fuses=True)
    """Share eta of a given label that is spread over all classes: eta u + (1 - eta) y."""


RATES = fused_knobs(EntropyConfig)
RENEWALS = {"epoch": 1, "tenth": 10}
"""How many times an epoch labels of all points are made, by `update`."""
FACTS = ("solver_iterations", "objective_before", "objective_after", "residual")


class EntropyClustering(FusedMethod):
    """Softmax models of all members; pseudo-labels are kept only where EM starts from them again."""

    Config = EntropyConfig
    version = 3
    precisions = PRECISIONS
    member_state = ("head", "order", "losses", "facts", "logged", "kept")

    def __init__(
        self, configs: Sequence[EntropyConfig], seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        super().__init__(configs, seeds, data, device)
        self.cuts = cuts(len(data), configs[0].batch_size)
        self.inputs, self.given = data.inputs.to(device), data.given_labels
        self.order = SharedOrder(seeds, device)
        self.made: Sequence[Sequence[Stage]] = ()
        self.head = self._head(configs[0])
        self.head.tilt(self.column("init_gap"))
        self.scored = self.head.prepared(data.eval_inputs.to(device))
        self.losses = torch.zeros(len(self), 2, dtype=torch.float64, device=device)
        self.facts = torch.zeros(len(self), N_FACTS + 1, dtype=torch.float64, device=device)
        self.logged = torch.zeros(len(self), len(BATCH_FACTS), dtype=torch.float64, device=device)
        self.kept: Tensor | None = None
        if configs[0].label_start == "previous":  # 0: no label yet
            self.kept = torch.zeros(len(self), data.n_clusters, len(data), device=device)

    def _head(self, config: EntropyConfig) -> SharedLinear | NetworkHead:
        """Return the head: a closed form for plain descent on a linear one, else a network with an optimiser."""
        rates = self.columns(RATES)
        plain = config.optimiser == "sgd" and config.momentum == 0.0
        if config.network == "linear" and plain and config.view == "none":
            return SharedLinear(self.inputs, self.data.n_clusters, self.seeds, rates)
        shape = Shape(
            network=config.network,
            hidden=(config.hidden_width,) * config.hidden_layers,
            batch_norm=config.batch_norm,
            optimiser=config.optimiser,
            momentum=config.momentum,
            view=config.view,
            n_views=config.n_views,
            start=self._start(config),
        )
        return NetworkHead(self.inputs, self.data.n_clusters, self.seeds, rates, shape)

    def _start(self, config: EntropyConfig) -> Network | None:
        """Return the encoder that members begin with, where there is one."""
        if config.start == "random":
            return None
        asked = PretextConfig(network=config.network, n_epochs=config.pretext_epochs)
        found = pretrained(asked, self.seeds, self.data, self.device)
        self.made = found.stages
        return found.parts["encoder"]

    def stages(self) -> Sequence[Sequence[Stage]]:
        """Return each member's start."""
        return self.made

    def fit_epoch(self) -> None:
        """Take a step for every batch, on labels of its own or on those of all points, made for many batches."""
        self.rates = self.columns(RATES)
        self.losses, self.facts = torch.zeros_like(self.losses), torch.zeros_like(self.facts)
        self.head.begin_epoch()
        order = self.order.permutation(len(self.data))
        renewals, stored = RENEWALS.get(self.configs[0].update, 0), None
        for place, cut in enumerate(self.cuts):
            if place * renewals % len(self.cuts) < renewals:
                stored = self.pseudo_labels_of_all()
            self.fit_batch(order[:, cut], stored, last=place == len(self.cuts) - 1)
        self.losses = self.losses / len(self.cuts)
        self.facts = self.facts / self.facts[:, -1:].clamp_min(1.0)
        self.epoch += 1

    def fit_batch(self, rows: Tensor, stored: Labels | None, last: bool) -> None:
        """Take a step on a batch.

        Args:
            rows: (distinct seeds, B), which points.
            stored: pseudo-labels of all points; None: the batch makes its own.
            last: whether the batch is the epoch's last, which is logged.
        """
        logits = self.head.logits(rows)
        seen = predictions(logits[0])
        given = self._given(rows)
        if self.configs[0].loss == "renyi":
            labels = Labels(*seen, None)
            loss, slope = self._direct(*seen)
        else:
            labels = self.pseudo_labels(seen, given, rows) if stored is None else self._picked(stored, rows)
            loss, slope = self._against(seen, labels)
        if given is not None:
            supervised, by_logits = self._supervised(seen, given)
            loss, slope = loss + supervised, slope + by_logits
        apart, slopes = self_augmentation(seen, logits[1:], self.rates["view_weight"])
        slopes[0] = slope + slopes[0] if len(logits) > 1 else slope
        self.head.step(slopes)
        self.losses += torch.stack([loss + apart, apart], 1)
        if last:
            self.logged = of_batch(seen[0], labels.y, labels.log_y, slopes[0])

    def pseudo_labels(self, seen: tuple[Tensor, Tensor], given: Given | None, rows: Tensor) -> Labels:
        """Return pseudo-labels for predictions and their logarithms (M, K, n) of points `rows` (distinct seeds, n)."""
        config, start = self.configs[0], None
        if self.kept is not None:
            index = self._index(rows)
            start = self.kept.gather(2, index)
            start = torch.where(start > 0, start, seen[0])
        labels = fair_labels(
            config.fairness,
            seen,
            self.rates["fairness_weight"],
            given,
            start,
            Solver(config.solver, config.solver_tolerance, config.solver_iterations),
        )
        if self.kept is not None:
            self.kept.scatter_(2, index, labels.y)
        if labels.facts is not None:
            self.facts[:, :-1] += labels.facts
            self.facts[:, -1] += 1.0
        return labels

    def pseudo_labels_of_all(self) -> Labels:
        """Return pseudo-labels of all training points, in their own order."""
        everyone = torch.arange(len(self.data), device=self.device).expand(len(self.order.seats.distinct), -1)
        seen = predictions(joined(self.head.outputs(self.head.inputs), len(self.data)))
        return self.pseudo_labels(seen, self._given(everyone), everyone)

    def _index(self, rows: Tensor) -> Tensor:
        """Return where the points `rows` (distinct seeds, n) of each member lie in (M, K, N), (M, K, n)."""
        return rows[self.order.seats.of].unsqueeze(1).expand(-1, self.data.n_clusters, -1)

    def _picked(self, stored: Labels, rows: Tensor) -> Labels:
        """Return labels (M, K, B) of a batch from those of all points (M, K, N)."""
        index = self._index(rows)
        return Labels(stored.y.gather(2, index), stored.log_y.gather(2, index), None)

    def _given(self, rows: Tensor) -> Given | None:
        """Return the labels that the dataset gives for a batch, softened; None where it gives none."""
        if self.given is None:
            return None
        labels = self.given.to(self.device)[rows][self.order.seats.of].unsqueeze(1)
        held, eta = labels >= 0, self.rates["given_softness"][:, None, None]
        classes = self.data.n_clusters
        target = torch.zeros(len(self), classes, labels.shape[2], device=self.device)
        target.scatter_(1, labels.clamp_min(0), 1.0)
        return Given(held, (target * (1.0 - eta) + eta / classes).clamp_min_(FLOOR))

    def _against(self, seen: tuple[Tensor, Tensor], labels: Labels) -> tuple[Tensor, Tensor]:
        """Return loss (M,) and slope (M, K, B) of the cross-entropy with pseudo-labels and of the fairness term."""
        config, weight = self.configs[0], self.rates["fairness_weight"]
        loss, slope = CROSS_ENTROPIES[config.loss](*seen, labels.y, labels.log_y)
        if config.fairness == "kl_u_sigma":
            fair, by_sigma = fairness_of_predictions("kl_u_y", seen[0], weight)
            return loss + fair, slope + by_sigma
        if config.fairness in FAIRNESS:
            loss = loss + weight * FAIRNESS[config.fairness](labels.y.mean(2))
        return loss, slope

    def _direct(self, sigma: Tensor, log_sigma: Tensor) -> tuple[Tensor, Tensor]:
        """Return loss and slope of (48): without pseudo-labels the fairness term acts on the mean prediction."""
        config = self.configs[0]
        if config.fairness == "transport":
            raise RequestError("entropy: fairness = 'transport' needs pseudo-labels; loss = 'renyi' has none")
        loss, slope = renyi(sigma, log_sigma, float(config.renyi_order))
        if config.fairness == "none":
            return loss, slope
        form = "kl_u_y" if config.fairness == "kl_u_sigma" else config.fairness
        fair, by_sigma = fairness_of_predictions(form, sigma, self.rates["fairness_weight"])
        return loss + fair, slope + by_sigma

    def _supervised(self, seen: tuple[Tensor, Tensor], given: Given) -> tuple[Tensor, Tensor]:
        """Return the standard cross-entropy with given labels, a mean over the points that have one."""
        points = given.held.shape[2]
        weight = self.rates["supervised_weight"] * points / given.held.sum((1, 2)).clamp_min(1)
        target = torch.where(given.held, given.target, 0.0)
        sigma = torch.where(given.held, seen[0], 0.0)
        loss, slope = forward(sigma, seen[1], target, target)
        return loss * weight, slope * weight[:, None, None]

    def evaluate(self, last: bool) -> list[Row]:
        """Return metrics of the hard clusters of the scored points, and what training logged in the epoch."""
        norms = self.head.class_norms()
        squared = norms.double().square().sum(1)
        if last:
            logits = joined(self.head.outputs(self.scored), len(self.data.eval_inputs))
            found = largest(logits)
            columns = of_predictions(logits, squared.sqrt())
            if isinstance(self.head, SharedLinear) and len(self.head.columns) == 2:
                columns |= of_plane(self.head.weight, self.head.bias)
        else:
            found = torch.cat(list(map(largest, self.head.outputs(self.scored))), 1)
            columns = {}
        columns |= dict(zip(FACTS, self.facts.unbind(1), strict=False)) | of_weights(norms)
        columns |= dict(zip(BATCH_FACTS, self.logged.unbind(1), strict=True)) | {"view_loss": self.losses[:, 1]}
        rows = score(found, self.data, self.data.n_clusters, last)
        losses = self.losses[:, 0] + self.column("norm_weight") * squared
        add_columns(rows, {"metric.loss": losses, **diagnostics(columns)})
        return rows

    @classmethod
    def max_members(cls, config: EntropyConfig, data: Dataset) -> int:
        """Return as many as the network gains from; 64 linear heads keep the logits of a batch in the cache."""
        most = members_at_most(config.network, data.inputs.shape[1:])
        return min(most, members_at_once(len(data.eval_inputs), data.n_clusters))


METHOD = EntropyClustering
