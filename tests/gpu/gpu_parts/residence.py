"""What stays on the card within an epoch: synchronisations of solvers, metrics, views and methods; kernels' share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gpu_parts.card import Card, bound
from gpu_parts.contracts import points
from orchestrator import discovery
from orchestrator.knobs import Value, configured
from trainables.assignment.em import em
from trainables.assignment.entropy_counts import entropy_counts
from trainables.assignment.kmeans.bounds import best_of
from trainables.assignment.kmeans.points import Points
from trainables.assignment.mirror_descent import mirror_descent
from trainables.assignment.newton import newton
from trainables.assignment.sinkhorn import sinkhorn
from trainables.assignment.size_dual import size_dual
from trainables.assignment.spherical_kmeans import spherical_kmeans
from trainables.data.augmentations import Augmentation
from trainables.data.neighbours import nearest_neighbours
from trainables.scoring import score

__all__ = ["residence"]

KERNELS = 0.8
METHODS: dict[str, tuple[str, dict[str, Value]]] = {
    "64 linear heads": ("entropy", {"batch_size": 250}),
    "MLPs": ("hard_regularization", {"network": "mlp", "batch_size": 250}),
    "small CNNs": ("hard_regularization", {"network": "cnn", "batch_size": 250}),
}


def residence(card: Card) -> dict[str, Any]:
    """Return synchronisations and times by name, and what must hold."""
    parts = {name: card.tried(lambda make=make: _part(card, make(card))) for name, make in PARTS.items()}
    epochs = {name: card.tried(lambda name=name: _epoch(card, *METHODS[name])) for name in METHODS}
    share = epochs["64 linear heads"].get("kernels_share")
    return {"parts": parts, "epochs": epochs,
            "bounds": [bound("64 linear heads: share of an epoch in kernels", share, least=KERNELS)]}  # fmt: skip


def _part(card: Card, step: Callable[[], object]) -> dict[str, Any]:
    step()  # what is compiled or allocated at first is nobody's synchronisation
    return {"ms": round(1e3 * card.seconds(step), 4), "synchronisations": card.synchronisations(step)}


def _epoch(card: Card, name: str, values: dict[str, Value]) -> dict[str, Any]:
    method, members, n = discovery.method(name, ()), card.pick(64, 2), card.pick(1797, 64)
    values = values | card.pick({}, {"batch_size": 32})
    built = method([configured(method.Config, values, 10, name)] * members, [0] * members, points(n), card.device)
    built.fit_epoch()
    found = _part(card, built.fit_epoch)
    found["kernels_share"] = card.kernels_share(built.fit_epoch)
    found["evaluation"] = _part(card, lambda: built.evaluate(False))
    return found


def _scores(card: Card) -> Tensor:
    members, n = card.pick((64, 250), (2, 12))
    return torch.rand(members, n, 10, generator=torch.Generator().manual_seed(0)).to(card.device)


def _each(card: Card, value: float) -> Tensor:
    return torch.full((len(_scores(card)),), value, device=card.device)


def _solver(solve: Callable[[Card, Tensor], object]) -> Callable[[Card], Callable[[], object]]:
    """Return what makes a solver's call on scores of a bundle."""

    def made(card: Card) -> Callable[[], object]:
        scores = _scores(card)
        return lambda: solve(card, scores)

    return made


def _lloyd(card: Card) -> Callable[[], object]:
    rows = points(card.pick(1797, 64)).inputs.flatten(1).to(card.device)
    return lambda: best_of(Points.of(rows), torch.stack([rows[:10], rows[10:20]]))


def _spherical(card: Card) -> Callable[[], object]:
    members, n = card.pick((16, 1797), (2, 64))
    rows = points(n).inputs.flatten(1).to(card.device).expand(members, -1, -1)
    uniforms = torch.rand(members, 1, 10, generator=torch.Generator().manual_seed(0)).to(card.device)
    return lambda: spherical_kmeans(rows, uniforms)


def _metrics(card: Card) -> Callable[[], object]:
    data, members = points(card.pick(1797, 64)), card.pick(64, 2)
    found = torch.randint(10, (members, len(data)), generator=torch.Generator().manual_seed(0)).to(card.device)
    return lambda: score(found, data, 10, False)


def _views(card: Card) -> Callable[[], object]:
    inputs = points(card.pick(1797, 64)).inputs
    inputs = inputs.to(card.device).view(len(inputs), 1, 8, 8)
    members = card.pick(16, 2)
    view = Augmentation("affine", inputs, range(members), "view")
    view.begin_epoch()
    rows = torch.arange(32, device=card.device).expand(members, -1)
    return lambda: view(inputs[rows], rows)


def _neighbours(card: Card) -> Callable[[], object]:
    rows = points(card.pick(1797, 64)).inputs.flatten(1).to(card.device)
    return lambda: nearest_neighbours(rows, torch.arange(len(rows), device=card.device), 10)


PARTS: dict[str, Callable[[Card], Callable[[], object]]] = {
    "em": _solver(lambda card, x: em(x.softmax(2), _each(card, 100.0))),
    "newton": _solver(lambda card, x: newton(x.softmax(2), _each(card, 100.0))),
    "mirror_descent": _solver(lambda card, x: mirror_descent(x.softmax(2), _each(card, 100.0))),
    "sinkhorn": _solver(lambda card, x: sinkhorn(x, _each(card, 10.0))),
    "size_dual": _solver(lambda card, x: size_dual(x, torch.zeros_like(x[:, 0]), _each(card, 0.1), _each(card, 0.09))),
    "entropy_counts": _solver(lambda card, x: entropy_counts(x, torch.ones_like(x[:, 0]), _each(card, 1.0))),
    "kmeans": _lloyd,
    "spherical_kmeans": _spherical,
    "metrics": _metrics,
    "views": _views,
    "neighbours": _neighbours,
}
