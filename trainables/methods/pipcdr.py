"""PIPCDR (2311.00731): BYOL on sampled neighbours, clusters pushed apart, k-means every r epochs.

The paper's full text, equations, settings and code were *not found*. Its abstract is a near-paraphrase of ProPos
(2111.11821), so losses and defaults are ProPos' for CIFAR-10, mapped term by term (*inferred*): PIP is its positive
sampling alignment, CDR its prototype scattering, the majorise-minimise loop its EM. In the order in which to read:
Config; `fit_batch`, a step; `dispersion` and the queue; `_relabel`, k-means; `rates_now`, what warm-up turns off;
`evaluate`, which scores the last k-means, and what it logs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from orchestrator.errors import RequestError
from orchestrator.knobs import Choice, Float, Int, knob
from orchestrator.trial import PRECISIONS
from trainables.assignment.spherical_kmeans import spherical_kmeans
from trainables.data.augmentations import Augmentation
from trainables.data.batches import cuts
from trainables.data.dataset import Dataset
from trainables.data.views import VIEWS
from trainables.diagnostics.sphere import (
    centre_preservation,
    largest_centre_cosine,
    nearest_other,
    partition_change,
    share_entropy,
    sizes,
    uniformity,
)
from trainables.heads.optimisers import Sgd, warmup_cosine
from trainables.losses.cluster_dispersion import cluster_dispersion
from trainables.losses.positive_proximity import positive_proximity, relative_noise, sampled_neighbours
from trainables.losses.sphere import nearest_centres, unit
from trainables.method import FusedMethod, MethodConfig, Row
from trainables.networks import NETWORKS, Chain, backbone, members_at_most, projector, small_normal
from trainables.randomness import Streams
from trainables.scoring import add_columns, diagnostics, score

BY_CLASS = "metric.semantic_preservation"
"""Reads labels, as `metrics/semantic_preservation.py` declares."""

NOISY, DISPERSED = ("both", "pip"), ("both", "cdr")


@dataclass(frozen=True, kw_only=True)
class PipCdrConfig(MethodConfig):
    """ProPos' settings for CIFAR-10; PIPCDR's own were *not found*, so every default here is *inferred*."""

    terms: str = knob("both", Choice("both", "pip", "cdr", "byol"), fuses=True)
    """Which parts are on, as a 2 x 2 over BYOL: `pip` adds the sampled neighbours, `cdr` the dispersion (BYOL's
    alignment stays; the dispersion loss alone is cdr_weight = 1)."""
    neighbour_noise: float = knob(1e-3, Float(1e-4, 2.0, log=True, also=(0.0,)), fuses=True, when={"terms": NOISY})
    """sigma: standard deviation of the noise that makes a neighbour of an embedding."""
    noise_units: str = knob("absolute", Choice("absolute", "relative"), fuses=True, when={"terms": NOISY})
    """relative: sigma counts in |z| / sqrt(d) of the batch, so that its meaning does not drift with |z|."""
    cdr_weight: float = knob(1.0 / 11.0, Float(0.0, 1.0), fuses=True, when={"terms": DISPERSED})
    """1 - w of L = w L_pip + (1 - w) L_cdr; 1/11 is ProPos' lambda = (1 - w) / w = 0.1."""
    loss_scale: str = knob("convex", Choice("convex", "added"))
    """`convex`: w L_pip + (1 - w) L_cdr, as PIPCDR weighs them; `added`: that over w, ProPos' L_pip + lambda L_cdr (at
    its lambda of 0.1 every gradient is 1.1 times as long; cdr_weight = 1 has no such form)."""
    temperature: float = knob(0.5, Float(0.05, 1.0, log=True), fuses=True, when={"terms": DISPERSED})
    """tau of CDR."""
    kmeans_every: int = knob(1, Int(1, 50, log=True), fuses=True)
    """r: epochs between two k-means runs (10 on ImageNet); the last epoch always ends with one."""
    kmeans_restarts: int = knob(10, Int(1, 10))
    """Starts of each k-means; the best objective wins."""
    queue_ratio: int = knob(0, Int(1, 64, log=True, also=(0,)))
    """Embeddings in the queue over points in a batch: past target embeddings that join both kinds of centres. As in
    ProPos a step enqueues both views' embeddings, two a point, so a ratio r reaches r / 2 steps back. Its ImageNet run
    has 10,240 for passes of 256 points, a ratio of 40 (2.5 of the 4,096 points whose gradients it gathers)."""
    ema: float = knob(0.996, Float(0.9, 0.9999), fuses=True)
    """m: share of itself that the target keeps at each step (0.95 for a few hundred steps in all)."""
    ema_schedule: str = knob("constant", Choice("constant", "cosine"), fuses=True)
    """cosine: m rises to 1 at the end, as in the recipes for CIFAR-20 and ImageNet."""
    ema_order: str = knob("after", Choice("after", "before"))
    """When the target follows: after the step (ProPos' second form, for CIFAR-20, does so at the start of the next), or
    before it, towards weights that have not moved yet (its first form, for CIFAR-10)."""
    warmup_share: float = knob(0.05, Float(0.0, 0.2), fuses=True)
    """Share of the epochs that are plain BYOL (no noise, no CDR) while the learning rate rises."""
    resample: bool = knob(False, Choice(False, True))
    """Draw points with replacement, each with weight N / (size of its cluster)."""
    lr: float = knob(0.05, Float(1e-3, 1.0, log=True), fuses=True)
    """Learning rate for a batch of 256; scaled in proportion to the batch. Cosine decay to 0."""
    predictor_lr_factor: float = knob(10.0, Float(1.0, 20.0, log=True), fuses=True)
    """The predictor's learning rate over the encoder's."""
    momentum: float = knob(0.9, Float(0.0, 0.99), fuses=True)
    """Of SGD."""
    weight_decay: float = knob(5e-4, Float(1e-6, 1e-2, log=True, also=(0.0,)), fuses=True)
    """Of every trained tensor."""
    batch_size: int = knob(512, Int(16, 1024, log=True))
    """Points per step, as near as an even split of the epoch allows."""
    view: str = knob("standard", Choice("standard", *VIEWS))
    """What makes the two views: `standard` is `byol` for images, `noise_dropout` for vectors (ours)."""
    view_strength: float = knob(1.0, Float(0.0, 2.0), fuses=True)
    """Factor on every range and probability of the view."""
    network: str = knob("mlp", Choice(*NETWORKS))
    """Encoder f. ProPos' is a ResNet-18 (CIFAR-10) or -34, which does not fuse."""
    encoder_width: int = knob(512, Int(16, 1024, log=True), when={"network": ("linear", "mlp")})
    """Width of the encoder's layers where the network has none of its own (512: a ResNet-18's features)."""
    head_width: int = knob(4096, Int(16, 4096, log=True))
    """Hidden width of projector and predictor."""
    output_dim: int = knob(256, Int(8, 512, log=True))
    """d: length of an embedding."""


RATES = ("temperature", "predictor_lr_factor", "n_epochs", "warmup_share", "ema")
TRAINED = ("online", "predictor", "target", "optimiser", "predictor_optimiser", "labels", "centres")
AROUND = ("change", "queue", "queue_rows", "logged", "order", "draws", "starts", "first_view", "second_view")
LOGGED = ("pip", "cdr", "relative_noise", "embedding_norm", "prediction_norm", "empty_clusters")
"""Means over the epoch's batches, beside that of the loss."""


class PipCdr(FusedMethod):
    """Online encoder, projector and predictor; an averaged target; labels from k-means on the target's embeddings."""

    Config = PipCdrConfig
    version = 2
    precisions = PRECISIONS
    member_state = (*TRAINED, *AROUND)
    shared_state = ("epoch", "step")

    def __init__(
        self, configs: Sequence[PipCdrConfig], seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        super().__init__(configs, seeds, data, device)
        config, self.n_clusters, self.step = configs[0], data.n_clusters, 0
        if len(data) < self.n_clusters:
            raise RequestError(f"pipcdr: {self.n_clusters} clusters, allowed: at most the {len(data)} points there are")
        if config.loss_scale == "added" and bool((self.column("cdr_weight") == 1.0).any()):
            raise RequestError("pipcdr: cdr_weight = 1.0 with loss_scale = 'added': lambda = (1 - w) / w has no value")
        self.inputs = data.inputs.to(device)
        self.cuts = cuts(len(data), config.batch_size)
        self._build_networks(config)
        self.order, self.starts = Streams(seeds, "order", device), Streams(seeds, "kmeans", device)
        self.draws = Streams(seeds, "neighbours", device)
        view, strength = config.view, self.column("view_strength")
        if view == "standard":
            view = "byol" if data.is_image else "noise_dropout"
        self.first_view = Augmentation(view, self.inputs, seeds, "view.first", strength)
        self.second_view = Augmentation(view, self.inputs, seeds, "view.second", strength)
        queue = config.queue_ratio * config.batch_size
        self.queue = torch.zeros(len(self), queue, config.output_dim, device=device)
        self.queue_rows = torch.full((len(self), queue), -1, device=device)
        self.logged = torch.zeros(len(self), 1 + len(LOGGED), device=device)
        self.labels = torch.zeros(len(self), len(data), dtype=torch.int64, device=device)
        self.centres = torch.zeros(len(self), self.n_clusters, config.output_dim, device=device)
        self.change = torch.zeros(len(self), device=device)
        self._relabel(list(range(len(self))))

    def _build_networks(self, config: PipCdrConfig) -> None:
        """Draw online and predictor, copy the target, and give each member its rates."""
        shape, width = self.data.inputs.shape[1:], config.encoder_width

        def streams(what: str) -> Streams:
            return Streams(self.seeds, f"init.{what}", self.device)

        encoder = backbone(config.network, shape, streams("encoder"), width)
        hidden, out = config.head_width, config.output_dim
        self.online = Chain([encoder, projector(encoder.out_features, out, streams("projector"), hidden=hidden)])
        self.predictor = projector(out, out, streams("predictor"), hidden=hidden, init=small_normal)
        self.target = self.online.copy()
        batch = min(config.batch_size, len(self.data))
        lr, momentum, decay = self.column("lr") * batch / 256, self.column("momentum"), self.column("weight_decay")
        self.optimiser = Sgd(lr, momentum=momentum, weight_decay=decay)
        factor = self.column("predictor_lr_factor")
        self.predictor_optimiser = Sgd(lr * factor, momentum=momentum, weight_decay=decay)

    def fit_epoch(self) -> None:
        """Take the steps of an epoch; then run k-means for the members whose r-th epoch this was."""
        self.rates = self.rates_now()
        order = self.resampled() if self.configs[0].resample else self.order.permutation(len(self.data))
        self.logged = torch.zeros_like(self.logged)
        self.first_view.begin_epoch()
        self.second_view.begin_epoch()
        for cut in self.cuts:
            self.fit_batch(order[:, cut])
        self.logged = self.logged / len(self.cuts)
        self.epoch += 1
        due = (self.epoch % self.column("kmeans_every") == 0) | (self.epoch >= self.column("n_epochs"))
        self._relabel(due.nonzero()[:, 0].tolist())

    def rates_now(self) -> dict[str, Tensor]:
        """Return what each member's knobs mean in this epoch, (M,) each: during its warm-up a member is plain BYOL."""
        rates = self.columns(RATES)
        warm = self.epoch < rates["warmup_share"] * rates["n_epochs"]
        zero = torch.zeros_like(rates["ema"])
        rates["noise"] = torch.where(self.has("terms", *NOISY) & ~warm, self.column("neighbour_noise"), zero)
        rates["cdr_weight"] = torch.where(self.has("terms", *DISPERSED) & ~warm, self.column("cdr_weight"), zero)
        rates["relative"] = self.has("noise_units", "relative")
        rates["rising"] = self.has("ema_schedule", "cosine")
        return rates

    def resampled(self) -> Tensor:
        """Return (M, N) indices drawn with replacement, each point with weight N / n_{y_i}."""
        counts = sizes(self.labels, self.n_clusters).double()
        heap = (1.0 / counts.gather(1, self.labels)).cumsum(1)
        drawn = self.order.uniform(len(self.data)).double() * heap[:, -1:]
        return torch.searchsorted(heap, drawn, right=True).clamp_max(len(self.data) - 1)

    def fit_batch(self, rows: Tensor) -> None:
        """Take a step on the points `rows` (M, B) in both view orders; the target follows, then the queue moves on."""
        config, total = self.configs[0], self.rates["n_epochs"] * len(self.cuts)
        batch = self.inputs[rows]
        first, second = self.first_view(batch, rows), self.second_view(batch, rows)
        embedded = (self.online(first), self.online(second))
        with torch.no_grad():
            targets = unit(self.target(first)), unit(self.target(second))
        noise = self._noise(embedded[0].detach(), self.rates)
        draws = self.draws.normal(2, *embedded[0].shape[1:])
        predicted = [self.predictor(sampled_neighbours(z, draws[:, v], noise)) for v, z in enumerate(embedded)]
        pip = (positive_proximity(predicted[0], targets[1]) + positive_proximity(predicted[1], targets[0])) / 2
        cdr = (self.dispersion(rows, embedded[0], targets[1]) + self.dispersion(rows, embedded[1], targets[0])) / 2
        weight = self.rates["cdr_weight"]
        loss = (1.0 - weight) * pip + weight * cdr
        if config.loss_scale == "added":
            loss = pip + weight / (1.0 - weight) * cdr
        params, inner = [*self.online.params, *self.predictor.params], len(self.online.params)
        grads = torch.autograd.grad(loss.sum(), params)
        if config.ema_order == "before":
            self.target.follow(self.online, self.target_momentum(total))
        scale = warmup_cosine(self.step, total, self.rates["warmup_share"] * total)
        self.optimiser.step(params[:inner], grads[:inner], scale)
        self.predictor_optimiser.step(params[inner:], grads[inner:], scale)
        self.step += 1
        if config.ema_order == "after":
            self.target.follow(self.online, self.target_momentum(total))
        self._enqueue(torch.cat(targets, 1), torch.cat([rows, rows], 1))
        self._log(rows, embedded[0], predicted[0], noise, torch.stack([loss, pip, cdr], 1))

    def _noise(self, embedded: Tensor, rates: dict[str, Tensor]) -> Tensor:
        """Return sigma in the units of the embeddings, (M,)."""
        length = torch.linalg.vector_norm(embedded, dim=2).mean(1) / math.sqrt(embedded.shape[2])
        return rates["noise"] * torch.where(rates["relative"], length, torch.ones_like(length))

    def dispersion(self, rows: Tensor, online: Tensor, target: Tensor) -> Tensor:
        """Return the loss CDR (M,) of one view order; the queue joins both kinds of centres, by the labels of now.

        Args:
            rows: (M, B), which points.
            online: (M, B, d) embeddings of one view.
            target: (M, B, d) the target's of the other.
        """
        labels = self.labels.gather(1, rows)
        if self.queue.shape[1]:
            queued = self.labels.gather(1, self.queue_rows.clamp_min(0)).where(self.queue_rows >= 0, -1)
            labels = torch.cat([labels, queued], 1)
            online, target = torch.cat([online, self.queue], 1), torch.cat([target, self.queue], 1)
        return cluster_dispersion(online, target, labels, self.n_clusters, self.rates["temperature"])

    def _enqueue(self, targets: Tensor, rows: Tensor) -> None:
        """Put embeddings in, and the oldest out; places not yet filled hold row -1 and count nowhere."""
        length = self.queue.shape[1]
        if length:
            self.queue = torch.cat([self.queue, targets], 1)[:, -length:]
            self.queue_rows = torch.cat([self.queue_rows, rows], 1)[:, -length:]

    def target_momentum(self, total: Tensor) -> Tensor:
        """Return m of this step, (M,): constant, or 1 - (1 - m) (1 + cos(pi step / total)) / 2."""
        ema = self.rates["ema"]
        falling = warmup_cosine(self.step, total, torch.zeros_like(total))
        return torch.where(self.rates["rising"], 1.0 - (1.0 - ema) * falling, ema)

    @torch.no_grad()
    def _log(self, rows: Tensor, z: Tensor, predicted: Tensor, noise: Tensor, losses: Tensor) -> None:
        present = sizes(self.labels.gather(1, rows), self.n_clusters) > 0
        facts = (
            relative_noise(z, noise),
            torch.linalg.vector_norm(z, dim=2).mean(1),
            torch.linalg.vector_norm(predicted, dim=2).mean(1),
            self.n_clusters - present.sum(1),
        )
        self.logged += torch.cat([losses.detach(), torch.stack(facts, 1)], 1)

    @torch.no_grad()
    def _relabel(self, due: list[int]) -> None:
        """Run spherical k-means on the due members' target embeddings of the plain inputs; only they draw for it."""
        if not due:
            return
        draws = self.starts.of(due).uniform(self.configs[0].kmeans_restarts, self.n_clusters)
        found = spherical_kmeans(self.target.embed(self.inputs)[due], draws)
        self.change[due] = partition_change(self.labels[due], found.labels, self.n_clusters).to(self.device)
        self.labels[due], self.centres[due] = found.labels, found.centres

    @torch.no_grad()
    def evaluate(self, last: bool) -> list[Row]:
        """Score the last k-means labels; what is not in the training part goes to the nearest of its centres."""
        probes = self.data.probes
        at_probes = self.data.eval_inputs[probes].to(self.device)
        target, online = self.target.embed(at_probes), self.online.embed(at_probes)
        columns = self._diagnostics(unit(target)) | self._preservation(online, probes)
        rows = score(self.predictions(), self.data, self.n_clusters, last, features=target)
        add_columns(rows, columns)
        return rows

    def predictions(self) -> Tensor:
        """Return the clusters of the scored points, (M, N): those of k-means, or the nearest of its centres."""
        if self.data.eval_inputs is self.data.inputs:
            return self.labels.clone()
        return nearest_centres(self.target.embed(self.data.eval_inputs.to(self.device)), self.centres)

    def _diagnostics(self, features: Tensor) -> dict[str, Tensor]:
        counts = sizes(self.labels, self.n_clusters)
        loss, *logged = self.logged.unbind(1)
        columns = diagnostics(dict(zip(LOGGED, logged, strict=True)))
        return columns | {
            "metric.loss": loss,
            "diagnostic.imbalance_ratio": counts.amax(1) / counts.amin(1).clamp_min(1.0),
            "diagnostic.size_entropy": share_entropy(counts),
            "diagnostic.label_change": self.change,
            "diagnostic.max_centre_cosine": largest_centre_cosine(self.centres),
            "diagnostic.uniformity": uniformity(features),
        }

    def _preservation(self, online: Tensor, probes: Tensor) -> dict[str, Tensor]:
        """Return whether sampled neighbours stay with their points: by centre and, where all are known, by class.

        Definitions are *inferred*. The draws are the same at every evaluation and taken from no stream of training; the
        noise is the one that training samples with now, none during warm-up.
        """
        draws = Streams(self.seeds, "diagnostic.neighbours", self.device).normal(*online.shape[1:])
        sampled = sampled_neighbours(online, draws, self._noise(online, self.rates_now()))
        columns = {"diagnostic.centre_preservation": centre_preservation(online, sampled, self.centres)}
        if self.data.n_labelled < len(self.data.eval_labels):
            return columns
        everything = self.online.embed(self.data.eval_inputs.to(self.device))
        nearest, classes = nearest_other(sampled, everything, probes), self.data.eval_labels.to(self.device)
        columns[BY_CLASS] = (classes[nearest] == classes[probes]).float().mean(1)
        return columns

    @classmethod
    def max_members(cls, config: PipCdrConfig, data: Dataset) -> int:
        """Return what the network gains by; heads wider than 512 keep a core busy alone."""
        return min(members_at_most(config.network, data.inputs.shape[1:]), 16 if config.head_width <= 512 else 4)


Config, METHOD = PipCdrConfig, PipCdr
