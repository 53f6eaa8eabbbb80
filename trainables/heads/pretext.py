"""A pretext: an encoder trained by SimCLR (2002.05709) before a method begins, made once for all who ask for it.

SCAN's first stage, and the start of the ResNet-18 of paper 2301.11405's Tables 2, 5 and 6. Settings are SCAN's for
CIFAR-10. Unlabelled inputs of a dataset are trained on too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from orchestrator.knobs import Float, Int, knob
from orchestrator.trial import Stage
from trainables.artifacts import made_once
from trainables.data.data_folder import data_folder
from trainables.data.dataset import Dataset
from trainables.heads.batch_training import BatchConfig, BatchTraining, Terms
from trainables.heads.optimisers import Sgd, cosine
from trainables.losses.contrastive import normalised_cross_entropy
from trainables.losses.sphere import unit
from trainables.networks import Mlp, Network, Parts
from trainables.precision import lowered

__all__ = ["PretextConfig", "Pretrained", "pretrained"]

RECIPE = 1
"""Raised when the training changes: kept encoders of before are then left alone."""
FLOOR = 1e-3
"""Last factor on the learning rate."""
SHARED = 0
"""Root seed of an encoder that all seeds of a trial share."""


@dataclass(frozen=True, kw_only=True)
class PretextConfig(BatchConfig):
    """SimCLR as SCAN's code trains it: 500 epochs of SGD with momentum 0.9."""

    batch_size: int = knob(512, Int(16, 2048, log=True))
    """Points per step."""
    lr: float = knob(0.4, Float(1e-4, 10.0, log=True))
    """Learning rate for a batch of 512, scaled in proportion; cosine decay to a thousandth."""
    weight_decay: float = knob(1e-4, Float(1e-6, 1e-1, log=True, also=(0.0,)))
    """Of every trained tensor."""
    temperature: float = knob(0.1, Float(0.02, 2.0, log=True))
    """Divides cosines of projections."""
    projection_dim: int = knob(128, Int(8, 512, log=True))
    """Length of a projection."""


@dataclass(frozen=True)
class Pretrained:
    """What members begin with."""

    parts: Parts
    """`encoder`, and `projector` behind it, of every member."""
    stages: tuple[tuple[Stage, ...], ...]
    """Per member, what was made once."""

    def projections(self, inputs: Tensor) -> Tensor:
        """Return unit projections (M, N, d) of inputs (N, ...)."""
        return unit(self.parts["projector"](self.parts["encoder"].embed(inputs), False).detach())


class _SimClr(BatchTraining):
    """Encoder and projector under NT-Xent of two views."""

    Config = PretextConfig

    def networks(self, config: PretextConfig) -> dict[str, Network]:
        encoder = self.encoder(config)
        width = encoder.out_features
        projector = Mlp((width, width, config.projection_dim), self.streams("projector"))
        return {"encoder": encoder, "projector": projector}

    def optimiser_of(self, config: PretextConfig) -> Sgd:
        rate = self.column("lr") * min(config.batch_size, len(self.data)) / 512
        return Sgd(rate, momentum=0.9, weight_decay=self.column("weight_decay"))

    def loss(self, rows: Tensor, points: Tensor, views: Sequence[Tensor]) -> Terms:
        del rows, points
        first, second = self._projected(views[0]), self._projected(views[1])
        return normalised_cross_entropy(first, second, self.column("temperature")), ()

    def _projected(self, points: Tensor) -> Tensor:
        return unit(self.parts["projector"](self.parts["encoder"](points)))

    def scale(self) -> Tensor:
        return cosine(self.epoch, self.column("n_epochs"), FLOOR)

    def assigned(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        raise NotImplementedError  # nothing is scored before the method begins


def pretrained(config: PretextConfig, seeds: Sequence[int], data: Dataset, device: torch.device) -> Pretrained:
    """Return an encoder for each of `seeds`: from its artifact, or trained now and kept.

    Args:
        config: what is trained, and for how long (`n_epochs`).
        seeds: one root seed per member; `SHARED` for one and the same encoder.
        data: labels are not read.
        device: where it is trained.
    """
    source = replace(data, inputs=data.all_inputs, labels=torch.zeros(len(data.all_inputs), dtype=torch.int64))
    source = replace(source, test_inputs=None, test_labels=None, given_labels=None, unlabelled=None)
    stages, states = [], []
    for seed in seeds:
        stage = Stage.of("simclr", _reads(config, seed, data, device), drawn=True)
        kept = made_once(data_folder() / "pretexts", stage.key, lambda own=seed: _trained(config, own, source, device))  # type: ignore[misc]
        stages.append((stage,))
        states.append(kept)
    found = _SimClr([config] * len(seeds), seeds, source, device)
    found.parts.load_state_dict(_stacked(states))
    return Pretrained(found.parts, tuple(stages))


def _reads(config: PretextConfig, seed: int, data: Dataset, device: torch.device) -> Mapping[str, Any]:
    """Return all that an encoder follows from."""
    return {
        "recipe": RECIPE,
        "dataset": data.digest,
        "protocol": data.protocol,
        "config": asdict(config),
        "seed": seed,
        "forward": str(lowered(torch.zeros(1)).dtype),
        "device": device.type,
    }


def _trained(config: PretextConfig, seed: int, source: Dataset, device: torch.device) -> dict[str, Tensor]:
    """Return the tensors of one encoder and its projector by `part.name`."""
    member = _SimClr([config], [seed], source, device)
    for _ in range(config.n_epochs):
        member.fit_epoch()
    tensors = {}
    for part, state in member.parts.state_dict().items():
        for name, tensor in state.items():
            tensors[f"{part}.{name}"] = tensor[0]
    return tensors


def _stacked(states: Sequence[Mapping[str, Tensor]]) -> dict[str, dict[str, Tensor]]:
    """Return the state of all members' parts."""
    parts: dict[str, dict[str, Tensor]] = {}
    for key in states[0]:
        part, _, name = key.partition(".")
        parts.setdefault(part, {})[name] = torch.stack([state[key] for state in states])
    return parts
