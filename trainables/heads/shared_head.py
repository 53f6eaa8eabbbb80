"""A linear head over members that share their batches: one dense product for all members of a seed (no loss here).

Members with one seed see the same points in the same order and start from the same weights, so the points of a batch
are gathered once, and x @ [W_1 ... W_M] is one product, in which a member's bits are those it has alone
(`trainables.products`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from trainables.data.batches import cuts
from trainables.networks import fan_in_uniform
from trainables.precision import lowered
from trainables.products import product
from trainables.randomness import Streams

__all__ = ["Seats", "SharedLinear", "SharedOrder", "joined", "members_at_once"]

CHUNK = 512
"""Points of one product outside training: its (M K, CHUNK) logits stay in the cache."""

COPIED = 1 << 24
"""Numbers (64 MB in float32) up to which points are copied, so that products find them as they take them fastest."""


class Seats:
    """Which distinct seed each member has: what members of a seed share is drawn once, and indexed by `of`."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self.seeds = list(seeds)
        self.distinct = sorted(set(seeds))
        self.of = torch.searchsorted(torch.tensor(self.distinct), torch.tensor(self.seeds))
        self.members = [(self.of == index).nonzero()[:, 0] for index in range(len(self.distinct))]

    def kept(self, members: Sequence[int]) -> Seats:
        """Return the seats of some members."""
        return Seats([self.seeds[member] for member in members])


class SharedOrder:
    """One data order per distinct seed, as a part of a bundle's state."""

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        self.seats, self.device = Seats(seeds), device
        self.streams = Streams(self.seats.distinct, "order", device)

    def permutation(self, n: int) -> Tensor:
        """Return a permutation of 0..n-1 for each distinct seed, (distinct seeds, n)."""
        return self.streams.permutation(n)

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members, and the streams of seeds that nobody has any more."""
        before = self.seats.distinct
        self.seats = self.seats.kept(members)
        self.streams.keep([before.index(seed) for seed in self.seats.distinct])

    def state_dict(self) -> dict[str, Any]:
        """Return the streams' states."""
        return self.streams.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the streams' states of members with the same seeds."""
        self.streams.load_state_dict(state)


class SharedLinear:
    """Linear heads: weights (K, d) and biases (K,) of M members, trained by plain gradient descent.

    Columns that are zero in all training points are left out: their weights would never be trained.

    Args:
        inputs: (N, ...) training points, flattened here.
        n_outputs: K.
        seeds: one root seed per member; one draw of the stream `init.network` per distinct seed.
        rates: `lr`, `norm_weight` (gamma), `weight_decay` and `init_scale`, (M,) each.
    """

    def __init__(self, inputs: Tensor, n_outputs: int, seeds: Sequence[int], rates: Mapping[str, Tensor]) -> None:
        vectors = inputs.flatten(1)
        varies = _varies(vectors)
        varies[0] = True  # a dataset of zeros still needs a column
        self.columns = varies.nonzero()[:, 0]
        self.inputs = self._held(vectors)
        """(N, d) with the columns that vary, or with all of them: see `_held`."""
        self.seats = Seats(seeds)
        drawn = Streams(self.seats.distinct, "init.network", inputs.device)
        width = vectors.shape[1]
        weight = fan_in_uniform(drawn, (width, n_outputs), width)[:, self.columns].transpose(1, 2)
        bias = fan_in_uniform(drawn, (n_outputs,), width)
        scale = rates["init_scale"]
        self.weights = self._by_seed(weight[self.seats.of] * scale[:, None, None])
        """(members of the seed, K, d) for each distinct seed, contiguous: a product takes it as it lies."""
        self.bias = bias[self.seats.of] * scale[:, None]
        self.lr = rates["lr"]
        self.shrink = 1.0 - self.lr * (2.0 * rates["norm_weight"] + rates["weight_decay"])
        self.bias_shrink = 1.0 - self.lr * rates["weight_decay"]
        self.batches: list[Tensor] = []

    def tilt(self, gap: Tensor) -> None:
        """Add gap (M,) to the bias of the first output."""
        self.bias[:, 0] += gap

    @property
    def weight(self) -> Tensor:
        """Return a copy of all weights, (M, K, d)."""
        return self._gathered(self.weights)

    def _by_seed(self, weight: Tensor) -> list[Tensor]:
        """Return (M, K, d) as the contiguous parts of each distinct seed's members."""
        return [weight[own].contiguous() for own in self.seats.members]

    def _gathered(self, parts: Sequence[Tensor]) -> Tensor:
        """Put what each distinct seed's members have, (members of the seed, ...), in the order of the bundle."""
        if len(parts) == 1:
            return parts[0]
        out = parts[0].new_empty(len(self.seats.of), *parts[0].shape[1:])
        for members, part in zip(self.seats.members, parts, strict=True):
            out.index_copy_(0, members, part)
        return out

    def begin_epoch(self) -> None:
        """Do nothing: there are no views to draw."""

    def logits(self, rows: Tensor) -> list[Tensor]:
        """Return [(M, K, B) logits] of the points `rows` (distinct seeds, B), and remember these for `step`."""
        # five times as fast as inputs[own]
        self.batches = [self._varying(self.inputs.index_select(0, own)) for own in rows]
        parts = []
        for weight, members, batch in zip(self.weights, self.seats.members, self.batches, strict=True):
            parts.append(_affine(weight, self.bias[members], lowered(batch)))
        return [self._gathered(parts)]

    def step(self, slopes: Sequence[Tensor]) -> None:
        """Descend by [slope (M, K, B)], the gradient of each member's loss by its last logits.

        v <- (1 - lr (2 gamma + decay)) v - lr x^T slope: the norm term's step and the loss's, in two passes.
        """
        scaled = slopes[0] * -self.lr[:, None, None]
        self.bias.mul_(self.bias_shrink[:, None]).add_(scaled.sum(2))
        for weight, members, batch in zip(self.weights, self.seats.members, self.batches, strict=True):
            own = scaled if len(self.weights) == 1 else scaled.index_select(0, members)
            step = product(own.flatten(0, 1), batch.T).view_as(weight)
            torch.addcmul(step, weight, self.shrink[members, None, None], out=weight)

    def prepared(self, points: Tensor) -> Sequence[Tensor] | Tensor:
        """Return points (N, ...), shaped as the training points, as `outputs` takes them fastest; to be done once.

        Few points are lowered in chunks. Many are not: that would be a second copy.
        """
        held = self._held(points.flatten(1))
        return list(self._chunks(held)) if points.numel() <= COPIED else held

    def _held(self, vectors: Tensor) -> Tensor:
        """Return points (N, all columns) without those that do not vary; many points as they lie, without a copy."""
        if len(self.columns) == vectors.shape[1] or vectors.numel() > COPIED:
            return vectors.contiguous()
        return vectors.index_select(1, self.columns)

    def _varying(self, rows: Tensor) -> Tensor:
        """Return held points without the columns that do not vary."""
        return rows if rows.shape[1] == len(self.columns) else rows.index_select(1, self.columns)

    def _chunks(self, held: Tensor) -> Iterator[Tensor]:
        for cut in cuts(len(held), CHUNK):
            yield lowered(self._varying(held[cut]))

    def outputs(self, points: Sequence[Tensor] | Tensor) -> Iterator[Tensor]:
        """Yield the (M, K, n) logits of prepared points, or of the training points as they lie, chunk by chunk."""
        weight = self._gathered(self.weights)
        for chunk in self._chunks(points) if isinstance(points, Tensor) else points:
            yield _affine(weight, self.bias, chunk)

    def class_norms(self) -> Tensor:
        """Return ||v_k|| of each class, biases not counted, (M, K)."""
        return self._gathered([torch.linalg.vector_norm(weight, dim=2) for weight in self.weights])

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members."""
        index = torch.as_tensor(list(members))
        weight = self.weight[index]
        for name in ("bias", "lr", "shrink", "bias_shrink"):
            setattr(self, name, getattr(self, name)[index])
        self.seats = self.seats.kept(members)
        self.weights = self._by_seed(weight)

    def state_dict(self) -> dict[str, Any]:
        """Return all weights and biases in the order of the bundle."""
        return {"weight": self.weight.clone(), "bias": self.bias.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up weights and biases of members with the same seeds."""
        weight, self.bias = state["weight"].to(self.bias.device), state["bias"].to(self.bias.device).clone()
        self.weights = self._by_seed(weight)


def _varies(vectors: Tensor) -> Tensor:
    """Return which columns of (N, d) are other than zero somewhere, (d,) bool."""
    found = torch.zeros(vectors.shape[1], dtype=torch.bool, device=vectors.device)
    for cut in cuts(len(vectors), CHUNK):
        found |= (vectors[cut] != 0).any(0)
    return found


def joined(parts: Iterable[Tensor], n_points: int) -> Tensor:
    """Return parts (M, K, n) side by side, (M, K, n_points), as soon as they come: a list of all would be a copy."""
    whole, filled = torch.empty(0), 0
    for part in parts:
        if not filled:
            whole = part.new_empty(*part.shape[:2], n_points)
        whole[:, :, filled : filled + part.shape[2]] = part
        filled += part.shape[2]
    return whole


def members_at_once(n_points: int, n_outputs: int) -> int:
    """Return how many members may have their logits of all points in memory together."""
    return max(1, COPIED // (n_points * n_outputs))


def _affine(weight: Tensor, bias: Tensor, batch: Tensor) -> Tensor:
    """Return logits (m, K, B) of members with weights (m, K, d) that share `batch` (B, d), lowered."""
    flat = product(lowered(weight.flatten(0, 1)), batch).float()
    return flat.add_(bias.reshape(-1, 1)).view(*bias.shape, len(batch))
