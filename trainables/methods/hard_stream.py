"""Hard regularisation on a stream whose number of clusters nobody knows: clusters are born, sleep, wake and die (ours).

Open question 2 of paper 2303.16521, which always has as many clusters as classes, all from the start. Here points come
in phases (`stream=class:5` of a dataset: classes one group after another), each seen in its phase only, and

    a batch    is labelled under the paper's price ln(n + 1) among the clusters that are awake
    a birth    a point farther from every known centroid than `birth_factor` times the usual distance becomes one
    a sleep    a cluster that is nearest to less than `least_share` of an epoch's points leaves the labelling, but stays
               known: points of its class may come again, and are scored by it
    a waking   a sleeper that is nearest to that share again joins the labelling
    a death    a cluster that has never had its share is forgotten, an epoch after its birth at the earliest

Costs are squared distances over a share of their own running mean, so that no scale of the features is known beforehand
and features that shrink gain nothing. What is scored is what has come so far. Labels are read nowhere.

In the order in which to read: Config; a batch, with its births; the end of an epoch, with all that changes its state;
the scores. `birth_factor` 0 and `least_share` 0 are a fixed number of clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from orchestrator.knobs import Choice, Float, Int, knob
from trainables.assignment.greedy_hard import greedy_hard
from trainables.data.batches import cuts
from trainables.data.dataset import Dataset
from trainables.heads.batch_training import BatchConfig, BatchTraining, Terms
from trainables.heads.optimisers import Adam
from trainables.losses.size_regularisers import attraction
from trainables.method import Row
from trainables.networks import Chain, Mlp, Network
from trainables.networks.layers import linear
from trainables.randomness import Streams
from trainables.scoring import add_columns, diagnostics, score

__all__ = ["METHOD", "HardStream", "HardStreamConfig"]

FREE, BORN, YOUNG, ASLEEP, AWAKE = range(5)
"""States of a place for a cluster: none there; born in this epoch; born in the last; known, but out of the labelling;
in it. The labelling knows those that are born, young or awake."""
FAR = 1e9
"""Cost of a cluster that takes no part."""
MEMORY = 0.95
"""What the usual distance keeps of itself at each batch."""


@dataclass(frozen=True, kw_only=True)
class HardStreamConfig(BatchConfig):
    """Nothing of this is in the paper: every default is ours."""

    features: str = knob("inputs", Choice("inputs", "learned"))
    """What is clustered: inputs as they are (also features of a frozen encoder), or those of an encoder that is trained
    as in the paper and drifts with the stream."""
    capacity: int = knob(64, Int(2, 256, log=True))
    """Places for clusters: the most that can be known at a time."""
    start_clusters: int = knob(2, Int(1, 64, log=True))
    """Clusters at the beginning, at random points of the first phase."""
    birth_factor: float = knob(1.5, Float(1.1, 10.0, log=True, also=(0.0,)), fuses=True)
    """How many times the usual squared distance a point must be away from all centroids to become one; 0: no births."""
    least_share: float = knob(0.02, Float(0.001, 0.2, log=True, also=(0.0,)), fuses=True)
    """Share of an epoch's points below which a cluster sleeps; 0: none does."""
    penalty: float = knob(1.0, Float(0.0, 4.0), fuses=True)
    """beta: weight of the price ln(n + 1)."""
    variance: float = knob(0.2, Float(0.01, 10.0, log=True), fuses=True)
    """s: costs are squared distances over s times the usual one; larger is a stronger price."""
    centroid_lr: float = knob(1e-2, Float(1e-4, 1.0, log=True), fuses=True)
    """Adam's rate for the centroids."""
    output_dim: int = knob(32, Int(2, 512, log=True), when={"features": ("learned",)})
    """d: length of a learned feature."""


class HardStream(BatchTraining):
    """Encoder or none, centroids in a fixed number of places, and the state of each place."""

    Config = HardStreamConfig
    version = 1
    finds_n_clusters = True
    member_state = (*BatchTraining.member_state, "centroids", "centroid_optimiser", "states", "wins", "usual", "counts")
    logged_names = ("forced_share",)

    def __init__(
        self, configs: Sequence[HardStreamConfig], seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        super().__init__(configs, seeds, data, device)
        config, members = self.configs[0], len(self)
        self.arrival = torch.zeros(len(data), dtype=torch.int64) if data.arrival is None else data.arrival
        self.so_far: dict[int, Dataset] = {}
        self.states = torch.full((members, config.capacity), FREE, device=device)
        first = self._rows(0)
        start = min(config.start_clusters, config.capacity, len(first))
        picked = first[Streams(seeds, "init.centroids", device).permutation(len(first))[:, :start]]
        features = self.parts["encoder"].embed(self.inputs)
        width = features.shape[2]
        centroids = torch.zeros(members, config.capacity, width, device=device)
        centroids[:, :start] = features.gather(1, picked[..., None].expand(-1, -1, width))
        self.states[:, :start] = AWAKE
        self.centroids = centroids.requires_grad_()
        self.centroid_optimiser = Adam(self.column("centroid_lr"))
        self.wins = torch.zeros(members, config.capacity, device=device)
        """Points of the epoch so far that are nearest to each known cluster."""
        self.usual = torch.zeros(members, device=device)
        """Running mean of the squared distance to the nearest centroid; 0: no batch yet."""
        self.counts = torch.zeros(members, 3, device=device)
        """Births, deaths and fallings asleep since the beginning."""

    def n_views(self, config: HardStreamConfig) -> int:
        """Return one for features that are learned, else none."""
        return 1 if config.features == "learned" else 0

    def networks(self, config: HardStreamConfig) -> dict[str, Network]:
        """Return the encoder with its last layer, or one that hands inputs on as they are."""
        if config.features == "learned":
            body = self.encoder(config)
            return {"encoder": Chain([body, Mlp((body.out_features, config.output_dim), self.streams("features"))])}
        width = self.inputs.shape[1:].numel()
        plain = Mlp((width, width), self.streams("encoder"))
        with torch.no_grad():
            plain.params[0].copy_(torch.eye(width).expand_as(plain.params[0]))
            plain.params[1].zero_()
        return {"encoder": plain}

    def _rows(self, phase: int) -> Tensor:
        """Return which points come in a phase, (n,)."""
        return (self.arrival == phase).nonzero()[:, 0].to(self.device)

    def phase(self, epoch: int) -> int:
        """Return the phase that an epoch falls into: phases share the epochs evenly, later ones have the rest."""
        phases, total = self.data.n_phases, int(self.configs[0].n_epochs)
        return min(epoch * phases // max(total, phases), phases - 1)

    def pass_over(self) -> None:
        """Train on the points of the phase once; then clusters change their states."""
        self.views.begin_epoch()
        rows_of_phase = self._rows(self.phase(self.epoch))
        if not len(rows_of_phase):
            return
        self.wins = torch.zeros_like(self.wins)
        order = rows_of_phase[self.order.permutation(len(rows_of_phase))]
        batches = cuts(len(rows_of_phase), self.configs[0].batch_size)
        for cut in batches:
            rows = order[:, cut]
            points = self.inputs[rows]
            loss, facts = self.loss(rows, points, self.seen(rows, points))
            self.step(loss)
            self.logged += torch.stack([number.detach() for number in (loss, *facts)], 1) / len(batches)
        self._change_states()

    def loss(self, rows: Tensor, points: Tensor, views: Sequence[Tensor]) -> Terms:
        """Return the mean cost of the labels that greedy assignment gives under the price, after the batch's births."""
        plain = self.parts["encoder"](points).detach() if views else self.parts["encoder"](points)
        self._see(plain.detach())
        with torch.no_grad():
            costs = self._costs(plain)
            awake = costs.masked_fill(~self._labelling().unsqueeze(1), FAR)
            nearest = awake.argmin(2)
            none = torch.zeros_like(self.wins, dtype=torch.float64)
            labels = greedy_hard(awake.double(), none, self.column("penalty"))
        trained = self._costs(self.parts["encoder"](views[0]) if views else plain)
        return attraction(trained, labels), ((labels != nearest).float().mean(1),)

    def _labelling(self) -> Tensor:
        """Return which clusters labels are given to, (M, capacity)."""
        return (self.states != FREE) & (self.states != ASLEEP)

    def _costs(self, features: Tensor) -> Tensor:
        """Return squared distances (M, B, K) over s times the usual one."""
        scale = (self.column("variance") * self.usual).clamp_min(1e-12)
        return self._squared(features, self.centroids) / scale.view(-1, 1, 1)

    @staticmethod
    def _squared(features: Tensor, centroids: Tensor) -> Tensor:
        products = linear(features, centroids.transpose(1, 2), None)
        lengths = (features**2).sum(2, keepdim=True) + (centroids**2).sum(2).unsqueeze(1)
        return (lengths - 2.0 * products).clamp_min(0.0)

    @torch.no_grad()
    def _see(self, features: Tensor) -> None:
        """Let a far point of each member become a cluster; take the batch into the usual distance and the wins."""
        known = (self.states != FREE).unsqueeze(1)
        squared = self._squared(features, self.centroids).masked_fill(~known, FAR)
        distance, winner = squared.min(2)
        mean = distance.mean(1)
        self.usual = torch.where(self.usual > 0, MEMORY * self.usual + (1.0 - MEMORY) * mean, mean)
        self.wins.scatter_add_(1, winner, torch.ones_like(distance))
        farthest, place = distance.max(1)
        factor = self.column("birth_factor")
        born = (factor > 0) & (farthest > factor * self.usual) & (self.states == FREE).any(1)
        for member in born.nonzero()[:, 0].tolist():
            free = int((self.states[member] == FREE).nonzero()[0, 0])
            self.states[member, free] = BORN
            self.centroids[member, free] = features[member, place[member]]
            self.wins[member, winner[member, place[member]]] -= 1.0
            self.wins[member, free] = 1.0
            self.counts[member, 0] += 1
            for slot in self.centroid_optimiser.buffers.values():  # moments of whoever was there before
                for buffer in slot:
                    buffer[member, free] = 0.0

    @torch.no_grad()
    def _change_states(self) -> None:
        """Put clusters to sleep, wake them, or forget them, by their share of the epoch's points."""
        least = self.column("least_share").unsqueeze(1)
        share = self.wins / self.wins.sum(1, keepdim=True).clamp_min(1.0)
        large = (share >= least) | (least == 0)
        died = (self.states == YOUNG) & ~large
        slept = (self.states == AWAKE) & ~large
        none_left = ~(large & (self.states != FREE)).any(1, keepdim=True)  # the last ones stay awake
        died, slept = died & ~none_left, slept & ~none_left
        states = torch.where(self.states == BORN, YOUNG, self.states)  # judged an epoch later
        states = torch.where(large & (self.states != FREE), AWAKE, states)
        states = torch.where(died, FREE, states)
        self.states = torch.where(slept, ASLEEP, states)
        self.counts[:, 1] += died.sum(1)
        self.counts[:, 2] += slept.sum(1)

    def step(self, loss: Tensor) -> None:
        """Descend: the centroids, and the encoder where it learns."""
        learns = self.configs[0].features == "learned"
        params = self.parts.params if learns else []
        *grads, pull = torch.autograd.grad(loss.sum(), [*params, self.centroids])
        if learns:
            self.optimiser.step(params, grads)
        self.centroid_optimiser.step([self.centroids], [pull])

    def assigned(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the nearest known centroid, sleeping ones included."""
        features = self.parts["encoder"].embed(inputs)
        squared = self._squared(features, self.centroids.detach())
        return squared.masked_fill((self.states == FREE).unsqueeze(1), FAR).argmin(2), features

    @torch.no_grad()
    def evaluate(self, last: bool) -> list[Row]:
        """Score what has come so far; a member's number of clusters is that of those it knows."""
        phase = self.phase(max(self.epoch - 1, 0))
        if phase not in self.so_far:
            self.so_far[phase] = self.data.come_by(phase)
        source = self.so_far[phase]
        labels, features = self.assigned(source.eval_inputs.to(self.device))
        rows, known = [], self.states != FREE
        for member, own in enumerate(labels):
            place = known[member].cumsum(0) - 1  # known clusters, numbered without gaps
            seen = None if features is None or self.configs[0].features == "inputs" else features[member : member + 1]
            row = score(place[own].unsqueeze(0), source, int(known[member].sum()), last, seen)[0]
            rows.append(row)
        add_columns(rows, {"metric.loss": self.logged[:, 0], **diagnostics(self.diagnostics())})
        return rows

    def diagnostics(self) -> dict[str, Tensor]:
        """Return how many clusters there are, and how they came and went."""
        births, deaths, slept = self.counts.unbind(1)
        return {
            "forced_share": self.logged[:, 1],
            "awake": self._labelling().sum(1),
            "known": (self.states != FREE).sum(1),
            "births": births,
            "deaths": deaths,
            "fallings_asleep": slept,
            "usual_distance": self.usual.sqrt(),
        }


Config, METHOD = HardStreamConfig, HardStream
