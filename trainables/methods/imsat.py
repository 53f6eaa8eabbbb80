"""IMSAT (1702.08720): much information of points in few clusters, and predictions that a small change does not move.

    L = R_sat + lambda (mean_i H(sigma_i) - mu H(mean sigma)),   R_sat = mean_i KL(sg sigma(x_i) || sigma(T(x_i)))

In the order in which to read: Config; the network and its small first weights; the reach of each point, a share of the
distance to its 10th neighbour; the loss, with T the change that moves the prediction most (VAT), a random one (RPT), or
a view. Settings are those of its code for MNIST. Paper 2301.11405 names a rival IMSAT that is `entropy` at Renyi order
1 with a view, in effect; this is the method itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from orchestrator.knobs import Choice, Float, Int, knob
from trainables.data.dataset import Dataset
from trainables.data.neighbours import nearest
from trainables.data.views import VIEWS
from trainables.heads.batch_training import BatchConfig, BatchTraining, Terms
from trainables.losses.mutual_information import decisiveness, spread
from trainables.losses.sphere import unit
from trainables.losses.virtual_adversarial import FLOOR, adversarial_change, divergence
from trainables.networks import Mlp, Network, build
from trainables.randomness import Streams

__all__ = ["METHOD", "Imsat", "ImsatConfig"]

REACH = 10
"""Which neighbour's distance is the unit of a point's change."""
HIDDEN_SCALE, LAST_SCALE = 0.1, 1e-4
"""Standard deviations of first weights times the root of the fan-in, as in the code; hidden layers are normalised."""
VIEWED = {"perturbation": ("view",)}


@dataclass(frozen=True, kw_only=True)
class ImsatConfig(BatchConfig):
    """Its code's, for MNIST: an MLP of 1200-1200 with batch norm, 50 epochs."""

    perturbation: str = knob("adversarial", Choice("adversarial", "random", "view"))
    """T: `adversarial` is VAT, `random` RPT, a change in a random direction; `view` a random view of the point."""
    reach: float = knob(0.25, Float(0.01, 2.0, log=True), fuses=True, when={"perturbation": ("adversarial", "random")})
    """Length of the change over the distance to the point's 10th neighbour."""
    probe: float = knob(10.0, Float(1e-3, 100.0, log=True), fuses=True, when={"perturbation": ("adversarial",)})
    """xi: length of the first, random change from which VAT finds its direction."""
    information_weight: float = knob(0.1, Float(1e-3, 10.0, log=True), fuses=True)
    """lambda: weight of the information against R_sat."""
    spread_weight: float = knob(4.0, Float(0.1, 100.0, log=True), fuses=True)
    """mu: weight of H(mean sigma) within it; 1 is mutual information."""
    view: str = knob("standard", Choice("standard", *VIEWS), when=VIEWED)
    """What makes a view: `standard` is `byol` for images, `noise_dropout` for vectors (ours)."""
    view_strength: float = knob(1.0, Float(0.0, 2.0), fuses=True, when=VIEWED)
    """Factor on every range and probability of the view."""
    encoder_width: int = knob(1200, Int(16, 2048, log=True), when={"network": ("mlp",)})
    """Width of the two hidden layers of mlp."""
    batch_size: int = knob(250, Int(16, 2048, log=True))
    """Points per step, as near as an even split of the epoch allows."""
    lr: float = knob(2e-3, Float(1e-5, 1.0, log=True), fuses=True)
    """Adam's rate."""


class Imsat(BatchTraining):
    """One network from inputs to K probabilities."""

    Config = ImsatConfig
    version = 1
    member_state = (*BatchTraining.member_state, "draws")
    logged_names = ("self_augmentation", "decisiveness", "spread")

    def __init__(
        self, configs: Sequence[ImsatConfig], seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        super().__init__(configs, seeds, data, device)
        self.draws = Streams(seeds, "perturbation", device)
        self.reach = torch.zeros(len(data), device=device)
        """(N,) distance of each point to its 10th neighbour; follows from the data."""
        if configs[0].perturbation != "view":
            self.reach = nearest(data.vectors, REACH).distances[:, -1].to(device)

    def n_views(self, config: ImsatConfig) -> int:
        """Return one where the change is a view, else none."""
        return 1 if config.perturbation == "view" else 0

    def networks(self, config: ImsatConfig) -> dict[str, Network]:
        """Return an MLP of two hidden layers, or a trunk with a linear layer; the last layer begins near zero."""
        shape, streams, out = self.inputs.shape[1:], self.streams("network"), self.n_clusters
        if config.network == "mlp":
            widths = (shape.numel(), config.encoder_width, config.encoder_width, out)
            network: Network = Mlp(widths, streams, norm=True, init=small_first_weights)
        else:
            network = build(config.network, shape, streams, out_features=out)
        with torch.no_grad():
            for last in network.params[-2:]:
                last.mul_(LAST_SCALE / HIDDEN_SCALE)
        return {"network": network}

    def loss(self, rows: Tensor, points: Tensor, views: Sequence[Tensor]) -> Terms:
        """Return R_sat and the information of the points; passes for R_sat leave running statistics alone."""
        sigma = self.parts["network"](points).softmax(2)
        fixed = sigma.detach()
        moved = self._still(views[0] if views else self._changed(rows, points, fixed))
        smooth = divergence(fixed, moved)
        sharp, even = decisiveness(sigma, FLOOR), spread(sigma, FLOOR)
        information = sharp - self.column("spread_weight") * even
        return smooth + self.column("information_weight") * information, (smooth, sharp, even)

    def _changed(self, rows: Tensor, points: Tensor, fixed: Tensor) -> Tensor:
        """Return the batch after its change."""
        draws = self.draws.normal(*points.shape[1:])
        if self.configs[0].perturbation == "random":
            change = unit(draws.flatten(2)).view_as(draws)
        else:
            probe = self.column("probe").view(-1, *[1] * (points.dim() - 1))
            change = adversarial_change(self._still, points, fixed, draws, probe)
        length = self.column("reach").unsqueeze(1) * self.reach[rows]
        return points + length.view(*rows.shape, *[1] * (points.dim() - 2)) * change

    def _still(self, points: Tensor) -> Tensor:
        """Return predictions by the statistics of this batch, which the running ones do not take in."""
        return self.parts["network"].beside()(points).softmax(2)

    def assigned(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the largest output."""
        return self.parts["network"].embed(inputs).argmax(2), None


def small_first_weights(streams: Streams, shape: tuple[int, ...], fan_in: int) -> Tensor:
    """Return draws from N(0, 0.01 / fan_in); biases begin at zero."""
    scale = HIDDEN_SCALE / max(fan_in, 1) ** 0.5 if len(shape) > 1 else 0.0
    return streams.normal(*shape) * scale


Config, METHOD = ImsatConfig, Imsat
