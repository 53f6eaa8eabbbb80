"""SeCu, stable cluster discrimination (2311.14310): centres pulled by their own points, sizes held by duals or entropy.

Read from the supplement and the reference code; the main paper's tables and ablations were *not found*. In the order in
which to read: Config; `_cluster_epoch` and `fit_batch`, a step; `_assign` with its two constraints; `_representation`
and `_centre`, the two losses; `step` and the rates; `_self_label_epoch`, the optional last stage; `evaluate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from orchestrator.knobs import Choice, Float, Int, knob
from orchestrator.trial import PRECISIONS
from trainables.assignment.entropy_counts import entropy_counts
from trainables.assignment.size_dual import size_dual
from trainables.data.augmentations import Augmentation
from trainables.data.batches import cuts, side_by_side
from trainables.data.dataset import Dataset
from trainables.data.views import VIEWS, asymmetric_pair
from trainables.diagnostics.centres import of_centres, of_heads
from trainables.diagnostics.sphere import sizes
from trainables.heads.optimisers import Sgd, cosine, late_warmup_cosine, warmup_cosine
from trainables.heads.self_labelling import SelfLabelling, SelfLabellingConfig
from trainables.losses import stable_discrimination as losses
from trainables.losses.sphere import cluster_sums, product, unit
from trainables.method import FusedMethod, Row, fused_knobs
from trainables.networks import DEEP, NETWORKS, Network, headed, members_at_most
from trainables.randomness import Streams
from trainables.scoring import add_columns, diagnostics, score

LARGEST_CROP = 0.7  # the smallest window is 0.3 of the image on CIFAR-10
GRADIENT, SIZE = ("gradient",), ("size",)


@dataclass(frozen=True, kw_only=True)
class SeCuConfig(SelfLabellingConfig):
    """The paper's settings for CIFAR-10 (SeCu-Size)."""

    constraint: str = knob("size", Choice("size", "entropy", "none"))
    """What keeps labels from one cluster: dual variables on sizes, a weight on the entropy of sizes, or nothing."""
    lower_bound: float = knob(0.9, Float(0.0, 1.0), fuses=True, when={"constraint": SIZE})
    """gamma: least size of a cluster in N / K, on average over steps (0.4 on ImageNet). 1: an equality, rho free."""
    upper_bound: float = knob(0.0, Float(1.0, 4.0, also=(0.0,)), fuses=True, when={"constraint": SIZE})
    """gamma': largest size in N / K (supplement, section 2; not in the code); 0: none."""
    dual_lr: float = knob(0.1, Float(0.01, 30.0, log=True), fuses=True, when={"constraint": SIZE})
    """eta: step of the duals, in units of cosines as in the code (the paper's is eta / lambda, *inferred*); it counts
    steps, so few steps an epoch want a larger one (20 on ImageNet)."""
    entropy_weight: float = knob(
        0.12, Float(0.01, 1.0, log=True, also=(0.0,)), fuses=True, when={"constraint": ("entropy",)}
    )
    """alpha / N: price in cosine of a cluster e times as large (6,000 / 50,000; alpha ~ N is *inferred*)."""
    heads: int = knob(10, Int(1, 10))
    """Heads, each with centres, labels and duals of its own; the first has K = classes and is the one scored."""
    head_spacing: int = knob(1, Int(0, 4))
    """Head h has K (1 + h spacing) clusters."""
    temperature: float = knob(0.05, Float(0.02, 1.0, log=True), fuses=True)
    """lambda_x of L_x."""
    centre_temperature: float = knob(0.05, Float(0.02, 1.0, log=True), fuses=True)
    """lambda_w of L_c (1 on STL-10)."""
    label_weight: float = knob(0.2, Float(0.0, 1.0), fuses=True)
    """tau: weight of the previous label in L_x; the rest is the other view's soft prediction."""
    encoder_label: str = knob("previous", Choice("previous", "fresh"))
    """Which label L_x sees: SeCu's is the one stored in the previous epoch."""
    centre_label: str = knob("fresh", Choice("fresh", "previous"))
    """Which label L_c sees: SeCu's is the one just assigned."""
    centre_rule: str = knob("gradient", Choice("gradient", "closed_form", "running_mean"))
    """How centres move: by SGD on L_c; to Theorem 1's closed form after each epoch; or as the running mean of their
    epoch's points (spherical k-means online, after CoKe; details *inferred*)."""
    centre_form: str = knob("stable", Choice("stable", "cross_entropy", "positives"), when={"centre_rule": GRADIENT})
    """L_c: SeCu's; plain cross-entropy (unstable, says the author); or the pull alone."""
    centre_lr: float = knob(1.2, Float(0.003, 5.0, log=True), fuses=True, when={"centre_rule": GRADIENT})
    """Learning rate of the centres, the most data-dependent knob (0.8 on CIFAR-100-20, 0.01 on CIFAR-100)."""
    centre_schedule: str = knob("constant", Choice("constant", "cosine", "rise"), when={"centre_rule": GRADIENT})
    """SeCu's is constant (Theorem 1); cosine decays to 0; rise goes from 0 (ImageNet with the entropy constraint)."""
    centre_weight_decay: float = knob(
        1e-4, Float(1e-6, 1e-2, log=True, also=(0.0,)), fuses=True, when={"centre_rule": GRADIENT}
    )
    """Of the raw centres, whose length divides their effective rate."""
    lr: float = knob(0.2, Float(1e-3, 2.0, log=True), fuses=True)
    """Of the encoder: 0 in epoch 0 (centres only), a linear rise, then cosine decay to 0."""
    lr_update: str = knob("step", Choice("step", "epoch"))
    """How often that rate moves: at each step, as in the reference code, or at each epoch."""
    warmup_epochs: int = knob(10, Int(0, 50), fuses=True)
    """Epochs of the rise, after epoch 0."""
    momentum: float = knob(0.9, Float(0.0, 0.99), fuses=True)
    """Of SGD, encoder and centres."""
    weight_decay: float = knob(1e-4, Float(1e-6, 1e-2, log=True, also=(0.0,)), fuses=True)
    """Of the encoder."""
    batch_size: int = knob(128, Int(16, 1024, log=True))
    """Points per step, as near as an even split of the epoch allows."""
    network: str = knob("mlp", Choice(*NETWORKS))
    """Encoder in front of the head; the paper's is a ResNet-18, which does not fuse."""
    encoder_width: int = knob(512, Int(16, 1024, log=True), when={"network": ("mlp",)})
    """Width of mlp (512: what a ResNet-18 hands to its head)."""
    head_width: int = knob(512, Int(16, 2048, log=True), when={"network": DEEP})
    """Hidden width of the head MLP."""
    output_dim: int = knob(128, Int(8, 512, log=True))
    """d: length of an output."""
    view: str = knob("standard", Choice("standard", *VIEWS))
    """What makes the two views: `standard` is the paper's for colour images (BYOL's asymmetric pair; grey ones are not
    solarised), noise and dropout for vectors."""
    view_strength: float = knob(1.0, Float(0.0, 2.0), fuses=True)
    """Factor on every range and probability of the view."""
    output_norm: bool = knob(False, Choice(False, True))
    """Batch norm without scale and shift on the output (with ImageNet's head only). With few points an epoch all
    centres fall onto the mean direction without it."""


RATES = ("n_epochs", *fused_knobs(SeCuConfig))
TRAINED = ("encoder", "centres", "optimiser", "centre_optimiser", "rho", "rho_upper", "counts", "labels", "stage")
AROUND = ("change", "logged", "order", "first_view", "second_view")
LOGGED = ("loss_x", "loss_c", "hardness", "idle_centres")


class SeCu(FusedMethod):
    """Encoder onto the sphere; centres of all heads side by side; labels of the last two epochs; constraints."""

    Config = SeCuConfig
    version, precisions = 2, PRECISIONS
    member_state = (*TRAINED, *AROUND)

    def __init__(
        self, configs: Sequence[SeCuConfig], seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        super().__init__(configs, seeds, data, device)
        config = self.configs[0]
        self.inputs, self.cuts = data.inputs.to(device), cuts(len(data), config.batch_size)
        widths = [data.n_clusters * (1 + head * config.head_spacing) for head in range(config.heads)]
        self.spans = side_by_side(widths)
        self.encoder = self._encoder(config)
        drawn = Streams(seeds, "init.centres", device)
        centres = torch.cat([unit(drawn.normal(width, config.output_dim)) for width in widths], 1)
        self.centres = centres.requires_grad_()
        momentum = self.column("momentum")
        decay, centre_decay = self.column("weight_decay"), self.column("centre_weight_decay")
        self.optimiser = Sgd(self.column("lr"), momentum=momentum, weight_decay=decay)
        self.centre_optimiser = Sgd(self.column("centre_lr"), momentum=momentum, weight_decay=centre_decay)
        self.order = Streams(seeds, "order", device)
        pair = asymmetric_pair(data.inputs.shape[1:], LARGEST_CROP)
        first, second = pair if config.view == "standard" else (config.view, config.view)
        strength = self.column("view_strength")
        self.first_view = Augmentation(first, self.inputs, seeds, "view.first", strength)
        self.second_view = Augmentation(second, self.inputs, seeds, "view.second", strength)
        self.stage: SelfLabelling | None = None
        if config.self_labelling:  # "much milder" views than before; by how much is *inferred*
            weak = Augmentation(second, self.inputs, seeds, "view.weak", strength / 4)
            strong = Augmentation(second, self.inputs, seeds, "view.strong", strength / 2)
            self.stage = SelfLabelling(weak, strong, Sgd(self.column("self_label_lr"), momentum=0.9))
        self.labels = torch.zeros(len(self), config.heads, len(data), dtype=torch.int64, device=device)
        self.change = torch.zeros(len(self), device=device)
        self.rho = torch.zeros(len(self), sum(widths), device=device)
        self.rho_upper, self.counts = torch.zeros_like(self.rho), torch.zeros_like(self.rho)
        self.logged = torch.zeros(len(self), 1 + len(LOGGED), device=device)

    def _encoder(self, config: SeCuConfig) -> Network:
        streams = Streams(self.seeds, "init.encoder", self.device), Streams(self.seeds, "init.head", self.device)
        widths = config.encoder_width, config.head_width, config.output_dim
        return headed(config.network, self.data.inputs.shape[1:], streams, widths, norm_out=config.output_norm)

    def fit_epoch(self) -> None:
        """Train for one epoch of clustering, or of the self-labelling stage behind it."""
        self.rates = self.columns(RATES)
        self.logged = torch.zeros_like(self.logged)
        if self.stage is not None and self.epoch >= float(self._horizon()[0]):
            self._self_label_epoch(self.stage)
        else:
            self._cluster_epoch()
        self.epoch += 1

    def _cluster_epoch(self) -> None:
        """Train labels, encoder and centres, batch by batch; centres in L_x are those of the epoch's start."""
        start, before = unit(self.centres.detach()), self.labels[:, 0].clone()
        self.sums = torch.zeros_like(start)
        self.first_view.begin_epoch()
        self.second_view.begin_epoch()
        order = self.order.permutation(len(self.data))
        for place, cut in enumerate(self.cuts):
            self.fit_batch(order[:, cut], start, self._encoder_scale(place))
        if self.configs[0].centre_rule == "closed_form":
            self._move_centres()
        self.logged = self.logged / len(self.cuts)
        self.change = (before != self.labels[:, 0]).sum(1) / len(self.data)

    def _encoder_scale(self, place: int) -> Tensor:
        """Return the factor (M,) on the encoder's rate at the step `place`; in epoch 0 momentum alone gathers."""
        rise, horizon = self.rates["warmup_epochs"], self._horizon() - 1
        if self.epoch == 0:
            return torch.zeros_like(rise)
        if self.configs[0].lr_update == "epoch":
            return warmup_cosine(self.epoch - 1, horizon, rise)
        steps = len(self.cuts)
        return late_warmup_cosine((self.epoch - 1) * steps + place, horizon * steps, rise * steps)

    def fit_batch(self, rows: Tensor, start: Tensor, scale: Tensor) -> None:
        """Step on points `rows` (M, B) by centres of its epoch's start; `scale` (M,) is on the encoder's rate."""
        batch = self.inputs[rows]
        views = unit(self.encoder(self.first_view(batch, rows))), unit(self.encoder(self.second_view(batch, rows)))
        points = torch.cat(views, 1)
        encoded = product(points, start.transpose(1, 2))
        moving = product(points.detach(), unit(self.centres).transpose(1, 2))
        fresh = self._assign(moving.detach(), rows)
        stored = self.labels.gather(2, rows.unsqueeze(1).expand(-1, len(self.spans), -1)) if self.epoch else fresh
        chosen = {"previous": stored, "fresh": fresh}
        loss_x = self._representation(encoded, chosen[self.configs[0].encoder_label])
        loss_c = self._centre(moving, chosen[self.configs[0].centre_label], points.detach())
        self.step(loss_x, loss_c, scale)
        self.labels.scatter_(2, rows.unsqueeze(1).expand_as(fresh), fresh)
        self._log(moving.detach(), fresh, loss_x, loss_c)

    def _assign(self, scores: Tensor, rows: Tensor) -> Tensor:
        """Return fresh labels (M, H, B) by the mean score of both views, under each head's constraint."""
        size = rows.shape[1]
        mean = (scores[:, :size] + scores[:, size:]) / 2.0
        solve = {"size": self._by_size, "entropy": self._by_entropy, "none": self._by_score}
        labels = []
        for head, span in enumerate(self.spans):
            labels.append(solve[self.configs[0].constraint](mean[..., span], head, rows))
        return torch.stack(labels, 1)

    def _by_score(self, scores: Tensor, _: int, __: Tensor) -> Tensor:
        return scores.argmax(2)

    def _by_size(self, scores: Tensor, head: int, _: Tensor) -> Tensor:
        """Return labels (M, B) under bounds on sizes; duals live on over batches and epochs."""
        span, rates = self.spans[head], self.rates
        upper = torch.where(rates["upper_bound"] == 0, torch.inf, rates["upper_bound"])
        bounds = rates["dual_lr"], rates["lower_bound"], self.rho_upper[:, span], upper
        found = size_dual(scores, self.rho[:, span], *bounds)
        self.rho[:, span] = found.rho
        if found.rho_upper is not None:
            self.rho_upper[:, span] = found.rho_upper
        return found.labels

    def _by_entropy(self, scores: Tensor, head: int, rows: Tensor) -> Tensor:
        """Return labels (M, B) under a price on sizes; from epoch 1 on each point first leaves its cluster."""
        span, alpha = self.spans[head], self.rates["entropy_weight"] * len(self.data)
        previous = self.labels[:, head].gather(1, rows) if self.epoch else None
        found = entropy_counts(scores, self.counts[:, span], alpha, previous)
        self.counts[:, span] = found.counts
        return found.labels

    def _representation(self, encoded: Tensor, labels: Tensor) -> Tensor:
        """Return L_x, the mean over heads, (M,)."""
        size = labels.shape[2]
        rates, terms = (self.rates["temperature"], self.rates["label_weight"]), []
        for head, span in enumerate(self.spans):
            pair = encoded[:, :size, span], encoded[:, size:, span]
            terms.append(losses.representation_loss(pair, labels[:, head], *rates))
        return sum(terms, torch.zeros_like(terms[0])) / len(terms)

    def _centre(self, moving: Tensor, labels: Tensor, points: Tensor) -> Tensor:
        """Return L_c, the mean over heads, (M,); the rules without a gradient collect their sums here."""
        config, tau = self.configs[0], self.rates["centre_temperature"]
        terms = []
        for head, span in enumerate(self.spans):
            scores, own = moving[..., span], torch.cat([labels[:, head]] * 2, 1)
            terms.append(losses.centre_loss(scores, own, tau, config.centre_form))
            if config.centre_rule == "closed_form":
                self.sums[:, span] += losses.hardness_weighted_sums(points, scores.detach(), own, tau)
            elif config.centre_rule == "running_mean":
                self.sums[:, span] += cluster_sums(points, own, scores.shape[2])
        return sum(terms, torch.zeros_like(terms[0])) / len(terms)

    def step(self, loss_x: Tensor, loss_c: Tensor, scale: Tensor) -> None:
        """Descend by the losses (M,); their gradients do not mix: L_x sees the first centres, L_c detached points."""
        by_gradient = self.configs[0].centre_rule == "gradient"
        params = self.encoder.params
        grads = torch.autograd.grad((loss_x + loss_c).sum(), [*params, self.centres] if by_gradient else params)
        self.optimiser.step(params, grads[: len(params)], scale)
        if by_gradient:
            self.centre_optimiser.step([self.centres], grads[-1:], self._centre_scale())
        elif self.configs[0].centre_rule == "running_mean":
            self._move_centres()

    def _horizon(self) -> Tensor:
        """Return the epochs before the self-labelling stage, (M,)."""
        config, total = self.configs[0], self.rates["n_epochs"]
        return total - (config.self_label_share * total).round() if config.self_labelling else total

    def _centre_scale(self) -> Tensor:
        falling, schedule = cosine(self.epoch, self._horizon()), self.configs[0].centre_schedule
        return {"constant": torch.ones_like(falling), "cosine": falling, "rise": 1.0 - falling}[schedule]

    @torch.no_grad()
    def _move_centres(self) -> None:
        """Put each centre at the direction of its sum; one without points stays."""
        filled = (self.sums != 0).any(2, keepdim=True)
        self.centres.copy_(torch.where(filled, unit(self.sums), self.centres))

    def _self_label_epoch(self, stage: SelfLabelling) -> None:
        """Train for one epoch of the optional last stage: the encoder and the first head."""
        age = self.epoch - self._horizon()
        if age[0] == 0:
            self.labels[:, 0] = self._nearest(self.encoder.embed(self.inputs))
        warm = age < self.rates["self_label_warmup"]
        threshold = torch.where(warm, -1.0, self.rates["self_label_threshold"])
        order = self.order.permutation(len(self.data))
        batches = [order[:, cut] for cut in cuts(len(self.data), self.configs[0].self_label_batch)]
        params = [*self.encoder.params, self.centres]
        self.logged[:, 0] = stage.epoch(self.inputs, batches, self._logits, params, self.labels[:, 0], threshold)

    def _logits(self, x: Tensor, train: bool) -> Tensor:
        """Return cosines over lambda_x of the first head, (M, B, K)."""
        cosines = product(unit(self.encoder(x, train)), unit(self.centres[:, self.spans[0]]).transpose(1, 2))
        return cosines / self.rates["temperature"].view(-1, 1, 1)

    def _nearest(self, outputs: Tensor) -> Tensor:
        """Return the first head's nearest centre by cosine, (M, N)."""
        return product(unit(outputs), unit(self.centres[:, self.spans[0]]).transpose(1, 2)).argmax(2)

    @torch.no_grad()
    def _log(self, moving: Tensor, fresh: Tensor, loss_x: Tensor, loss_c: Tensor) -> None:
        span = self.spans[0]
        own = torch.cat([fresh[:, 0]] * 2, 1)
        present = sizes(fresh[:, 0], span.stop) > 0
        hard = losses.hardness(moving[..., span], own, self.rates["centre_temperature"]).mean(1)
        idle = (span.stop - present.sum(1)).float()
        self.logged += torch.stack([loss_x + loss_c, loss_x, loss_c, hard, idle], 1)

    @torch.no_grad()
    def evaluate(self, last: bool) -> list[Row]:
        """Score the first head's nearest centres of plain inputs (not the stored labels: those bear the duals)."""
        outputs = self.encoder.embed(self.data.eval_inputs.to(self.device))
        rows = score(self._nearest(outputs), self.data, self.spans[0].stop, last, features=outputs)
        add_columns(rows, self._diagnostics())
        return rows

    def _diagnostics(self) -> dict[str, Tensor]:
        loss, *logged = self.logged.unbind(1)
        columns = diagnostics(dict(zip(LOGGED, logged, strict=True)))
        columns |= {"metric.loss": loss, "diagnostic.label_change": self.change}
        columns |= of_heads(self.labels, [span.stop - span.start for span in self.spans])
        if self.configs[0].constraint == "entropy":  # alpha Delta, to first order (alpha / N) ln(n_max / n_min)
            ratio = columns["diagnostic.max_size_0"] / columns["diagnostic.min_size_0"].clamp_min(1.0)
            columns["diagnostic.price_range"] = self.column("entropy_weight") * ratio.log()
        first = self.spans[0]
        return columns | of_centres(self.centres.detach()[:, first], self.rho[:, first])

    @classmethod
    def max_members(cls, config: SeCuConfig, data: Dataset) -> int:
        """Return what the network gains by, 16 at most: even a linear encoder has heads of its own."""
        return min(members_at_most(config.network, data.inputs.shape[1:]), 16)


Config, METHOD = SeCuConfig, SeCu
