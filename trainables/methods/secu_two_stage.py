"""SeCu in two stages, as its paper runs STL-10: labelled and unlabelled points first, then the labelled ones alone.

The first stage is SeCu with all its heads on the train part and the unlabelled points of a dataset; the second begins
with the encoder, the first head's centres and its duals, and trains that head on the train part at a small rate. The
code of the second stage was *not found* (its settings are in the supplement): that it is a run of its own, from epoch 0
on, with momentum and labels made anew, is *inferred*.

In the order in which to read: Config; which points a stage trains on; the change of stages; the rest is `secu`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch

from orchestrator.knobs import Float, knob
from orchestrator.trial import PRECISIONS
from trainables.data.dataset import Dataset
from trainables.method import Method, Row, State, chosen
from trainables.methods.secu import SeCu, SeCuConfig

__all__ = ["METHOD", "SeCuTwoStage", "SeCuTwoStageConfig"]


@dataclass(frozen=True, kw_only=True)
class SeCuTwoStageConfig(SeCuConfig):
    """SeCu's for STL-10: 800 epochs on 105,000 images, then 100 on the 5,000 of the train part."""

    first_share: float = knob(8.0 / 9.0, Float(0.1, 0.95))
    """Share of the epochs that are the first stage."""
    second_lr: float = knob(2e-3, Float(1e-4, 1.0, log=True), fuses=True)
    """Learning rate of the encoder in the second stage; the centres keep theirs."""
    centre_temperature: float = knob(1.0, Float(0.02, 1.0, log=True), fuses=True)
    """lambda_w of L_c."""
    centre_lr: float = knob(0.8, Float(0.003, 5.0, log=True), fuses=True, when={"centre_rule": ("gradient",)})
    """Learning rate of the centres."""


class SeCuTwoStage(Method):
    """One SeCu after another; what is scored is always the given data."""

    Config = SeCuTwoStageConfig
    version, precisions = 1, PRECISIONS

    def __init__(
        self, configs: Sequence[SeCuTwoStageConfig], seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        self.configs, self.seeds, self.data, self.device = list(configs), list(seeds), data, device
        total = self.configs[0].n_epochs
        self.first_epochs = min(max(1, round(self.configs[0].first_share * total)), max(1, total - 1))
        self.epoch = 0
        self.stage = self._stage(second=False)

    def _stage(self, second: bool) -> SeCu:
        """Return the SeCu of a stage, untrained."""
        epochs = self.first_epochs, self.configs[0].n_epochs - self.first_epochs
        configs = []
        for config in self.configs:
            own = {field.name: getattr(config, field.name) for field in fields(SeCuConfig)}
            own["n_epochs"] = max(1, epochs[second])
            if second:
                own |= {"heads": 1, "lr": config.second_lr}
            configs.append(SeCuConfig(**own))
        return SeCu(configs, self.seeds, self.data if second else everything(self.data), self.device)

    def fit_epoch(self) -> None:
        """Train the stage for one epoch, after a change to the second one where its turn has come."""
        if self.epoch == self.first_epochs:
            self.begin_second_stage()
        self.stage.fit_epoch()
        self.epoch += 1

    def begin_second_stage(self) -> None:
        """Begin the second stage with what the first one has learned."""
        first, self.stage = self.stage, self._stage(second=True)
        self.stage.encoder.load_state_dict(first.encoder.state_dict())
        head = first.spans[0]
        with torch.no_grad():
            self.stage.centres.copy_(first.centres[:, head])
        self.stage.rho, self.stage.rho_upper = first.rho[:, head].clone(), first.rho_upper[:, head].clone()

    def evaluate(self, last: bool) -> list[Row]:
        """Score the first head."""
        return self.stage.evaluate(last)

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members."""
        self.stage.keep(members)
        self.configs, self.seeds = chosen(self.configs, members), chosen(self.seeds, members)

    def state_dict(self) -> State:
        """Return the state of the stage, and the epoch, which says which it is."""
        return {"epoch": torch.tensor(self.epoch), "stage": self.stage.state_dict()}

    def load_state_dict(self, state: State) -> None:
        """Take up a state of either stage."""
        self.epoch = int(state["epoch"])
        if self.epoch > self.first_epochs:
            self.stage = self._stage(second=True)
        self.stage.load_state_dict(state["stage"])

    @classmethod
    def max_members(cls, config: Any, data: Dataset) -> int:
        """Return as many as SeCu."""
        return SeCu.max_members(config, data)


def everything(data: Dataset) -> Dataset:
    """Return data to train on with the unlabelled points among its inputs, scored on what `data` is scored on."""
    if data.unlabelled is None:
        return data
    labels = torch.cat([data.labels, torch.zeros(len(data.unlabelled), dtype=torch.int64)])  # never read
    return replace(
        data,
        inputs=data.all_inputs,
        labels=labels,
        test_inputs=data.eval_inputs,
        test_labels=data.eval_labels,
        given_labels=None,
        unlabelled=None,
        protocol="split",
    )


Config, METHOD = SeCuTwoStageConfig, SeCuTwoStage
