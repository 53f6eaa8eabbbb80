"""Online clustering with hard regularisation (2303.16521): labels of a batch under a price on sizes, and rivals.

Only a summary of the paper could be read, and its reference code, which the defaults are from; its tables were
*not found*. In the order in which to read: Config; `fit_batch`, a step; `_costs`, distances; `_labels`, how a batch is
labelled (the solvers are in `assignment`); `_loss`, the paper's and its rivals'; `evaluate`, nearest centroids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from orchestrator.knobs import Choice, Float, Int, knob
from orchestrator.trial import PRECISIONS
from trainables.assignment.exact_hard import exact_hard
from trainables.assignment.greedy_hard import descend, greedy_hard
from trainables.assignment.hard_labels import hard_objective
from trainables.assignment.sinkhorn import sinkhorn
from trainables.data.augmentations import Augmentation
from trainables.data.batches import cuts
from trainables.data.dataset import Dataset
from trainables.data.views import VIEWS
from trainables.diagnostics.size import centroid_gap, divergence_from_prior, entropy_share, size_dispersion
from trainables.heads.centroid_inits import CENTROID_INITS, initial_centroids
from trainables.heads.cluster_priors import aligned, estimated_shares, level_shares
from trainables.heads.optimisers import Adam
from trainables.losses.size_regularisers import attraction, soft_entropy, sum_of_squares
from trainables.method import FusedMethod, MethodConfig, Row
from trainables.networks import NETWORKS, Network, build, members_at_most
from trainables.networks.layers import linear
from trainables.randomness import Streams
from trainables.scoring import add_columns, score

PRICED = ("greedy", "greedy_icm", "greedy_regret", "exact")
SINKHORN = ("sinkhorn", "sk_argmin_quirk")
SOFT = ("sum_of_squares", "soft_entropy")
MLP = {"network": ("mlp",)}
J_POINTS = 256  # points on which greedy and exact objectives are compared: the exact one is dear
EVALUATED = 2**27  # features of all members that an evaluation may hold at once: half a gigabyte
SINKHORN_SWEEPS = 15  # as the reference code


@dataclass(frozen=True, kw_only=True)
class HardRegularizationConfig(MethodConfig):
    """The reference code's settings."""

    solver: str = knob("greedy", Choice(*PRICED, "none", *SOFT, *SINKHORN))
    """How a batch gets its labels, or what else keeps clusters from emptying. Under the price ln(n + 1) of a cluster's
    (n + 1)-th point: `greedy` (the paper's combination assignment), `greedy_icm` (then single moves that lower the
    objective), `greedy_regret` (greedy on each point's cost above its least), `exact`. Without: `none` (nearest
    centroid), `sum_of_squares` and `soft_entropy` (nearest centroid, and a term in the loss), `sinkhorn` (argmax of
    the balanced plan), `sk_argmin_quirk` (its argmin, as the reference code takes it: the worst cluster)."""
    penalty: float = knob(1.0, Float(0.0, 4.0), fuses=True, when={"solver": PRICED})
    """beta: weight of the price ln(n + 1)."""
    variance: float = knob(100.0, Float(1.0, 1e4, log=True), fuses=True)
    """s: squared distances are divided by it, so it acts as the strength of the price (the code calls it sigma)."""
    count_scope: str = knob("batch", Choice("batch", "epoch"), when={"solver": PRICED})
    """Whether sizes are counted from zero in each batch or over the epoch."""
    prior: str = knob("uniform", Choice("uniform", "given", "estimated", "reversed"), when={"solver": PRICED})
    """Prior shares: even; those of `prior_level`; those of k-means on the inputs; those of `prior_level` given to the
    wrong clusters. Matched to clusters by rank of last epoch's sizes, from the second epoch on (the code matches by
    true labels)."""
    prior_level: int = knob(3, Int(1, 3), fuses=True, when={"prior": ("given", "reversed")})
    """Imbalance level of the paper whose shares are the prior."""
    prior_strength: float = knob(1.0, Float(0.0, 1.0), fuses=True, when={"prior": ("given", "estimated", "reversed")})
    """Factor on -ln pi_k in the costs."""
    squares_weight: float = knob(10.0, Float(0.1, 1e3, log=True), fuses=True, when={"solver": ("sum_of_squares",)})
    """Weight of mean_k (mean_i C_ik)^2."""
    log_determinant: bool = knob(False, Choice(False, True), when={"solver": ("sum_of_squares",)})
    """Whether the squared costs hold -(d / 2) ln s, as in the reference code since August 2023. A constant of the costs
    matters to no other solver; here it turns "no cluster far from all points" into "every cluster about s (d / 2) ln s
    away", 29,000 at d = 128 and s = 100."""
    entropy_weight: float = knob(100.0, Float(0.1, 1e3, log=True), fuses=True, when={"solver": ("soft_entropy",)})
    """Weight of the entropy of the mean soft assignment."""
    temperature: float = knob(1.0, Float(0.1, 10.0, log=True), fuses=True, when={"solver": ("soft_entropy",)})
    """T of the soft assignment softmax(-C / T); the code has none (its costs are read as probabilities)."""
    pull_weight: float = knob(0.1, Float(1e-3, 1.0, log=True), fuses=True, when={"solver": SOFT})
    """Weight of what pulls points to clusters: mean cost, or mean entropy of the soft assignments."""
    sinkhorn_epsilon: float = knob(0.5, Float(0.01, 1.0, log=True), fuses=True, when={"solver": SINKHORN})
    """Temperature of exp(-C / epsilon), balanced in 15 iterations."""
    centroid_init: str = knob("normal", Choice(*CENTROID_INITS))
    """Start of the centroids: N(0, 1), features of the first or of random inputs, k-means++ or k-means on features."""
    init_scale: float = knob(1.0, Float(0.1, 10.0, log=True), fuses=True)
    """Factor on the encoder's initial parameters."""
    batch_size: int = knob(256, Int(32, 2048, log=True))
    """Points that share one assignment problem, as near as an even split of the epoch allows."""
    lr: float = knob(1e-3, Float(1e-4, 1e-2, log=True), fuses=True)
    """Adam's rate for the encoder."""
    centroid_lr: float = knob(1e-3, Float(1e-4, 1e-1, log=True), fuses=True)
    """Adam's rate for the centroids."""
    network: str = knob("paper", Choice("paper", *NETWORKS))
    """Encoder; `paper`: its small CNN for images, mlp for vectors."""
    width: int = knob(128, Int(16, 1024, log=True), when=MLP)
    """Width of mlp's hidden layers."""
    depth: int = knob(1, Int(1, 4), when=MLP)
    """Number of mlp's hidden layers, each with a batch norm."""
    output_dim: int = knob(128, Int(2, 512, log=True))
    """d: length of a feature."""
    cluster_factor: float = knob(1.0, Float(0.5, 4.0, log=True))
    """Number of clusters over the number of classes, rounded, at least 1."""
    view: str = knob("none", Choice(*VIEWS))
    """Random view of the points that are trained on; the paper has none."""
    view_strength: float = knob(1.0, Float(0.0, 2.0), fuses=True)
    """Factor on every range and probability of the view."""
    label_from: str = knob("view", Choice("view", "original"))
    """Whether labels are those of the view or of the point as it is: the second asks views to agree (ours)."""


RATES = (
    "penalty",
    "prior_strength",
    "squares_weight",
    "entropy_weight",
    "temperature",
    "pull_weight",
    "sinkhorn_epsilon",
)


class HardRegularization(FusedMethod):
    """Encoder and centroids under Adam; labels are constants of the loss, so the price has no gradient."""

    Config = HardRegularizationConfig
    version = 2
    precisions = PRECISIONS
    member_state = (
        "encoder",
        "centroids",
        "optimiser",
        "centroid_optimiser",
        "order",
        "augmentation",
        "shares",
        "log_prior",
        "sizes",
        "logged",
    )

    def __init__(
        self, configs: Sequence[HardRegularizationConfig], seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        super().__init__(configs, seeds, data, device)
        config = configs[0]
        self.inputs, self.cuts = data.inputs.to(device), cuts(len(data), config.batch_size)
        self.n_clusters = max(1, round(config.cluster_factor * data.n_clusters))
        self.encoder = self._encoder(config)
        start = Streams(seeds, "init.centroids", device)
        self.centroids = initial_centroids(
            config.centroid_init, self.encoder, self.inputs, self.n_clusters, start
        ).requires_grad_()
        self.optimiser, self.centroid_optimiser = Adam(self.column("lr")), Adam(self.column("centroid_lr"))
        self.order = Streams(seeds, "order", device)
        self.augmentation = Augmentation(config.view, self.inputs, seeds, "view", self.column("view_strength"))
        self.shares = self._prior_shares(config)
        self.log_prior = torch.zeros_like(self.shares)
        self.sizes = torch.zeros(len(self), 3, self.n_clusters, device=device)
        """Of the epoch so far: points by label, by nearest centroid, and softmax(-C) summed."""
        self.logged = torch.zeros(len(self), 2, device=device)
        """Of the epoch so far: loss, share of labels that are not the nearest centroid's."""

    def _encoder(self, config: HardRegularizationConfig) -> Network:
        name = config.network if config.network != "paper" else "cnn" if self.data.is_image else "mlp"
        network = build(
            name,
            self.data.inputs.shape[1:],
            Streams(self.seeds, "init.encoder", self.device),
            out_features=config.output_dim,
            hidden=(config.width,) * config.depth,
            norm=True,
        )
        for parameter in network.params:
            parameter.detach().mul_(self.column("init_scale").view(-1, *[1] * (parameter.dim() - 1)))
        return network

    def _prior_shares(self, config: HardRegularizationConfig) -> Tensor:
        """Return prior shares (M, K), largest first."""
        if config.prior == "estimated":
            return estimated_shares(self.inputs.flatten(1), self.n_clusters, self.seeds)
        if config.prior in ("given", "reversed"):
            shares = [level_shares(each.prior_level, self.n_clusters) for each in self.configs]
            return torch.stack(shares).to(self.device)
        return torch.full((len(self), self.n_clusters), 1.0 / self.n_clusters, device=self.device)

    def fit_epoch(self) -> None:
        """Train on every point once: label the batch, then take a step of encoder and centroids towards the labels."""
        self.rates = self.columns(RATES)
        self.sizes, self.logged = torch.zeros_like(self.sizes), torch.zeros_like(self.logged)
        self.augmentation.begin_epoch()
        order = self.order.permutation(len(self.data))
        for cut in self.cuts:
            self.fit_batch(order[:, cut])
        self.logged = self.logged / len(self.data)
        if self.configs[0].prior != "uniform":
            reverse = self.configs[0].prior == "reversed"
            self.log_prior = aligned(self.shares, self.sizes[:, 1], reverse).log()
        self.epoch += 1

    def fit_batch(self, rows: Tensor) -> None:
        """Label the points `rows` (M, B), then take a step of encoder and centroids."""
        points = self.inputs[rows]
        costs = self._costs(self.encoder(self.augmentation(points, rows)))
        seen = costs.detach()
        if self.configs[0].label_from == "original":
            with torch.no_grad():
                seen = self._costs(self.encoder(points))
        nearest = seen.argmin(2)
        labels = self._labels(seen, nearest)
        loss = self._loss(costs, labels)
        *grads, pull = torch.autograd.grad(loss.sum(), [*self.encoder.params, self.centroids])
        self.optimiser.step(self.encoder.params, grads)
        self.centroid_optimiser.step([self.centroids], [pull])
        self._log(seen, labels, nearest, loss.detach())

    def _costs(self, features: Tensor) -> Tensor:
        """Return squared distances (M, B, K) of features (M, B, d) to centroids, over the variance."""
        products = linear(features, self.centroids.transpose(1, 2), None)
        lengths = (features**2).sum(2, keepdim=True) + (self.centroids**2).sum(2).unsqueeze(1)
        return (lengths - 2.0 * products) / self.column("variance").view(-1, 1, 1)

    def _labels(self, costs: Tensor, nearest: Tensor) -> Tensor:
        """Return labels (M, B) of a batch from costs without gradient."""
        solver = self.configs[0].solver
        if solver in SINKHORN:
            sharpness = self.rates["sinkhorn_epsilon"].reciprocal()
            plan = sinkhorn(-costs, sharpness, tolerance=0.0, max_iterations=SINKHORN_SWEEPS)
            return plan.labels if solver == "sinkhorn" else plan.q.argmin(2)
        if solver not in PRICED:
            return nearest
        # float64: late in a large batch two prices differ by little more than 1 / n
        priced = costs.double() - (self.rates["prior_strength"].unsqueeze(1) * self.log_prior).double().unsqueeze(1)
        counted = self.sizes[:, 0] if self.configs[0].count_scope == "epoch" else torch.zeros_like(self.sizes[:, 0])
        return solve(solver, priced, counted, self.rates["penalty"])

    def _loss(self, costs: Tensor, labels: Tensor) -> Tensor:
        """Return the loss (M,) of a batch."""
        solver, rates = self.configs[0].solver, self.rates
        if solver == "soft_entropy":
            spread, doubt = soft_entropy(costs, rates["temperature"])
            return rates["pull_weight"] * doubt - rates["entropy_weight"] * spread
        pull = attraction(costs, labels)
        if solver == "sum_of_squares":
            whole = costs - self._log_determinant() if self.configs[0].log_determinant else costs
            return rates["squares_weight"] * sum_of_squares(whole) + rates["pull_weight"] * attraction(whole, labels)
        return pull

    def _log_determinant(self) -> Tensor:
        """Return (d / 2) ln s, (M, 1, 1): half the log-determinant of the covariance, which the code subtracts."""
        half: Tensor = self.column("variance").log() * (self.configs[0].output_dim / 2.0)
        return half.view(-1, 1, 1)

    def _log(self, costs: Tensor, labels: Tensor, nearest: Tensor, loss: Tensor) -> None:
        """Add a batch to the epoch's sizes and sums."""
        ones = torch.ones_like(costs[..., 0])
        self.sizes[:, 0].scatter_add_(1, labels, ones)
        self.sizes[:, 1].scatter_add_(1, nearest, ones)
        self.sizes[:, 2] += costs.neg().softmax(2).sum(1)
        self.logged[:, 0] += loss * labels.shape[1]
        self.logged[:, 1] += (labels != nearest).float().sum(1)

    @torch.no_grad()
    def evaluate(self, last: bool) -> list[Row]:
        """Score the nearest centroids of all points, without prior or price, as the paper's inference."""
        features = self.encoder.embed(self.data.eval_inputs.to(self.device))
        predictions = self._costs(features).argmin(2)
        hard = torch.zeros_like(self.shares).scatter_add_(1, predictions, torch.ones_like(features[..., 0]))
        columns = {
            "metric.loss": self.logged[:, 0],
            "diagnostic.forced_share": self.logged[:, 1],
            "diagnostic.label_entropy": entropy_share(self.sizes[:, 0]),
            "diagnostic.nearest_entropy": entropy_share(self.sizes[:, 1]),
            "diagnostic.soft_entropy": entropy_share(self.sizes[:, 2]),
            "diagnostic.prior_divergence": divergence_from_prior(hard, self.shares),
            "diagnostic.soft_prior_divergence": divergence_from_prior(self.sizes[:, 2], self.shares),
            "diagnostic.size_dispersion": size_dispersion(hard),
            "diagnostic.soft_size_dispersion": size_dispersion(self.sizes[:, 2]),
            "diagnostic.centroid_gap": centroid_gap(self.centroids),
        }
        if last and self.configs[0].solver in PRICED:
            columns |= self._solver_gaps()
        rows = score(predictions, self.data, self.n_clusters, last, features)
        add_columns(rows, columns)
        return rows

    def _solver_gaps(self) -> dict[str, Tensor]:
        """Return how far greedy's objective, and this solver's, are above the exact one, per point of a large batch."""
        costs = self._costs(self.encoder.embed(self.inputs[:J_POINTS])).double()
        penalty, counted = self.column("penalty"), torch.zeros_like(self.shares)
        values = {}
        for solver in ("exact", "greedy", self.configs[0].solver):
            labels = solve(solver, costs, counted, penalty)
            values[solver] = hard_objective(costs, labels, counted, penalty)
        return {
            "diagnostic.greedy_gap": (values["greedy"] - values["exact"]) / costs.shape[1],
            "diagnostic.solver_gap": (values[self.configs[0].solver] - values["exact"]) / costs.shape[1],
        }

    @classmethod
    def max_members(cls, config: HardRegularizationConfig, data: Dataset) -> int:
        """Return as many as the network gains from, and whose features of all points fit into half a gigabyte."""
        name = config.network if config.network != "paper" else "cnn" if data.is_image else "mlp"
        fitting = max(1, EVALUATED // (len(data.eval_inputs) * config.output_dim))
        return min(members_at_most(name, data.inputs.shape[1:]), fitting)


def solve(solver: str, costs: Tensor, counted: Tensor, penalty: Tensor) -> Tensor:
    """Return labels (M, B) of costs (M, B, K) under the price penalty (M,) from sizes `counted` (M, K)."""
    if solver == "exact":
        return exact_hard(costs, counted, penalty)
    if solver == "greedy_regret":
        return greedy_hard(costs - costs.amin(2, keepdim=True), counted, penalty)
    labels = greedy_hard(costs, counted, penalty)
    return descend(costs, labels, counted, penalty) if solver == "greedy_icm" else labels


Config, METHOD = HardRegularizationConfig, HardRegularization
