"""What a method promises on a card: members as if alone over the first steps, and the same distribution over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch import Tensor

from gpu_parts.card import Card, bound
from orchestrator import discovery
from orchestrator.knobs import Int, Value, configured, knobs_of
from trainables.data.dataset import Dataset

__all__ = ["contracts"]

MEMBERS = (11, 12, 13)
FIRST_STEPS = 1e-5
"""Relative difference that a member's loss may have from that of the trial alone after one epoch of two batches."""
SMALL_P = 1e-3
"""Below it two samples of seeds are not of one distribution."""
SHUFFLES = 4_000
COMPARED: dict[str, dict[str, Value]] = {
    "entropy": {"batch_size": 250},
    "hard_regularization": {"network": "mlp", "output_dim": 10, "batch_size": 250},
}


def contracts(card: Card) -> dict[str, Any]:
    """Return, for every method, how far a bundle is from its members alone; and two samples of seeds of some."""
    first = {}
    for name in discovery.names("method"):
        first[name] = card.tried(lambda name=name: _first_steps(card, name))
    over_seeds = {name: card.tried(lambda name=name: _over_seeds(card, name)) for name in COMPARED}
    bounds = [bound(f"{name}: loss after two steps against alone", row.get("apart"), most=FIRST_STEPS)
              for name, row in first.items()]  # fmt: skip
    bounds += [
        bound(f"{name}: p that bundles and single trials have one mean", row.get("p"), least=SMALL_P)
        for name, row in over_seeds.items()
    ]
    return {"first_steps": first, "over_seeds": over_seeds, "bounds": bounds}


@cache
def points(n: int) -> Dataset:
    """Return some images: the digits where scikit-learn is, else drawn ones with classes of their own."""
    try:
        whole = discovery.load_dataset("digits", "whole", ())
    except Exception:  # a bare machine
        generator = torch.Generator().manual_seed(0)
        labels = torch.arange(1800) % 10
        inputs = torch.randn(10, 1, 8, 8, generator=generator)[labels] + 0.7 * torch.randn(
            1800, 1, 8, 8, generator=generator
        )
        whole = Dataset("drawn", inputs - inputs.mean(0), labels, 10)
    return replace(whole, inputs=whole.inputs[:n], labels=whole.labels[:n])


def _small(name: str, values: dict[str, Value]) -> Any:
    """Return a config with narrow layers and small batches, where a method has such knobs."""
    method = discovery.method(name, ())
    space = knobs_of(method.Config)
    narrow = {knob: known for knob, known in space.items() if knob.endswith(("_width", "_dim", "batch_size"))}
    small = {knob: max(known.domain.low, 32) for knob, known in narrow.items() if isinstance(known.domain, Int)}
    return configured(method.Config, small | values, 3, name)


def _trained(card: Card, name: str, config: Any, seeds: Sequence[int], n: int, epochs: int) -> list[dict[str, float]]:
    method = discovery.method(name, ())([config] * len(seeds), list(seeds), points(n), card.device)
    for _ in range(epochs):
        method.fit_epoch()
    rows: list[dict[str, float]] = method.evaluate(False)
    return rows


def _first_steps(card: Card, name: str) -> dict[str, Any]:
    config = _small(name, {})
    together = _trained(card, name, config, MEMBERS, 64, 1)
    alone = [_trained(card, name, config, [seed], 64, 1)[0] for seed in MEMBERS]
    apart = [_apart(one["metric.loss"], other["metric.loss"]) for one, other in zip(together, alone, strict=True)]
    return {"apart": max(apart)}


def _apart(one: float, other: float) -> float:
    return abs(one - other) / max(abs(other), 1e-6)


def _over_seeds(card: Card, name: str) -> dict[str, Any]:
    n_seeds, epochs = card.pick((24, 10), (3, 2))
    config = _small(name, COMPARED[name])
    together = _trained(card, name, config, range(n_seeds), 1000, epochs)
    alone = [_trained(card, name, config, [seed], 1000, epochs)[0] for seed in range(n_seeds)]
    found = [torch.tensor([row["metric.nmi"] for row in rows]) for rows in (together, alone)]
    return {"nmi": [float(sample.mean()) for sample in found], "seeds": n_seeds, "p": _p(*found)}


def _p(one: Tensor, other: Tensor) -> float:
    """Return the p-value of a difference of means, by shuffling who belongs to which sample."""
    pooled, generator = torch.cat([one, other]).double(), torch.Generator().manual_seed(0)
    apart = abs(float(one.double().mean() - other.double().mean()))
    shuffled = pooled[torch.stack([torch.randperm(len(pooled), generator=generator) for _ in range(SHUFFLES)])]
    means = (shuffled[:, : len(one)].mean(1) - shuffled[:, len(one) :].mean(1)).abs()
    return (1 + int((means >= apart - 1e-12).sum())) / (1 + SHUFFLES)
