"""Networks over members that turn batches into logits and take steps by logit gradients, with views (no loss here)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainables.data.augmentations import Augmentation, Views
from trainables.data.batches import cuts
from trainables.heads.optimisers import Adam, Sgd
from trainables.heads.shared_head import CHUNK, Seats
from trainables.networks import Chain, Mlp, Network, build
from trainables.randomness import Streams

__all__ = ["NetworkHead", "Shape"]

PARTS = ("network", "optimiser", "body_optimiser", "views")
"""What of a head carries state."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What all members have in common.

    Attributes:
        network: a name in `trainables.networks.NETWORKS`.
        hidden: widths of an MLP's hidden layers.
        batch_norm: batch norm behind them.
        optimiser: `sgd` or `adam`.
        momentum: heavy ball, SGD only.
        view: name of the augmentation; `none` for none.
        n_views: augmented copies of each batch.
        start: an encoder to begin with, in front of a new last layer; None: first weights are drawn.
    """

    network: str
    hidden: Sequence[int]
    batch_norm: bool
    optimiser: str
    momentum: float
    view: str
    n_views: int
    start: Network | None = None


class NetworkHead:
    """One network per member, from inputs to K logits.

    Args:
        inputs: (N, ...) training points.
        n_outputs: K.
        seeds: one root seed per member.
        rates: `lr`, `norm_weight` (gamma), `weight_decay`, `init_scale` and `view_strength`, (M,) each; `encoder_rate`,
            if there is one, is the factor on the rate of all layers but the last.
        shape: what members share.
    """

    def __init__(
        self, inputs: Tensor, n_outputs: int, seeds: Sequence[int], rates: Mapping[str, Tensor], shape: Shape
    ) -> None:
        self.inputs, self.seats = inputs, Seats(seeds)
        streams = Streams(seeds, "init.network", inputs.device)
        self.network = self._built(shape, n_outputs, streams)
        with torch.no_grad():
            for last in self.network.params[-2:]:
                last.mul_(rates["init_scale"].view(-1, *[1] * (last.dim() - 1)))
        lr, decay = rates["lr"], rates["weight_decay"]
        body_lr = lr * rates["encoder_rate"] if "encoder_rate" in rates else lr
        self.optimiser, self.body_optimiser = _optimiser(shape, lr, decay), _optimiser(shape, body_lr, decay)
        self.norm_weight = rates["norm_weight"]
        self.views = Views()
        for place in range(shape.n_views if shape.view != "none" else 0):
            self.views.append(Augmentation(shape.view, inputs, seeds, f"view.{place}", rates["view_strength"]))
        self.graph: list[Tensor] = []

    def _built(self, shape: Shape, n_outputs: int, streams: Streams) -> Network:
        sizes, hidden = self.inputs.shape[1:], tuple(shape.hidden)
        if shape.start is not None:
            return Chain([shape.start, Mlp((shape.start.out_features, n_outputs), streams)])
        return build(shape.network, sizes, streams, out_features=n_outputs, hidden=hidden, norm=shape.batch_norm)

    @torch.no_grad()
    def tilt(self, gap: Tensor) -> None:
        """Add gap (M,) to the bias of the first output."""
        self.network.params[-1].view(len(gap), -1)[:, 0] += gap

    def begin_epoch(self) -> None:
        """Draw the views of every point."""
        self.views.begin_epoch()

    def logits(self, rows: Tensor) -> list[Tensor]:
        """Return the (M, K, B) logits of the points `rows` (distinct seeds, B), then those of each of their views."""
        own = rows[self.seats.of]
        if len(rows) == 1:  # all members see the same points: once in memory, and one product for all in a first layer
            batch = self.inputs.index_select(0, rows[0]).expand(len(own), -1, *self.inputs.shape[1:])
        else:
            batch = self.inputs[own]
        seen = [batch, *(view(batch, own) for view in self.views)]
        self.graph = [self.network(points, train=True) for points in seen]
        return [part.detach().transpose(1, 2).contiguous() for part in self.graph]

    def step(self, slopes: Sequence[Tensor]) -> None:
        """Descend by the gradients (M, K, B) of each member's loss by its last logits, in the order of `logits`."""
        params = self.network.params
        turned = [slope.transpose(1, 2) for slope in slopes]
        grads = list(torch.autograd.grad(self.graph, params, turned))
        self.graph = []
        last = params[-2].detach()  # the last layer's weight comes before its bias
        grads[-2] = torch.addcmul(grads[-2], last, 2.0 * self.norm_weight[:, None, None])
        self.body_optimiser.step(params[:-2], grads[:-2])
        self.optimiser.step(params[-2:], grads[-2:])

    def prepared(self, points: Tensor) -> Sequence[Tensor]:
        """Return points (N, ...) in chunks as `outputs` takes them."""
        return [points[cut] for cut in cuts(len(points), CHUNK)]

    @torch.no_grad()
    def outputs(self, points: Sequence[Tensor] | Tensor) -> Iterator[Tensor]:
        """Yield the (M, K, n) logits of points, prepared or not, in evaluation mode, chunk by chunk."""
        for part in self.prepared(points) if isinstance(points, Tensor) else points:
            seen = part.expand(len(self.seats.of), *part.shape)
            yield self.network(seen, train=False).transpose(1, 2).contiguous()

    def class_norms(self) -> Tensor:
        """Return ||v_k|| of the last layer, biases not counted, (M, K)."""
        norms: Tensor = torch.linalg.vector_norm(self.network.params[-2].detach(), dim=1)
        return norms

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members."""
        self.seats = self.seats.kept(members)
        self.norm_weight = self.norm_weight[torch.as_tensor(list(members))]
        for name in PARTS:
            getattr(self, name).keep(members)

    def state_dict(self) -> dict[str, Any]:
        """Return the states of network, optimisers and views."""
        return {name: getattr(self, name).state_dict() for name in PARTS}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the states."""
        for name in PARTS:
            getattr(self, name).load_state_dict(state[name])


def _optimiser(shape: Shape, rate: Tensor, decay: Tensor) -> Adam | Sgd:
    if shape.optimiser == "adam":
        return Adam(rate, weight_decay=decay)
    return Sgd(rate, momentum=shape.momentum, weight_decay=decay)
