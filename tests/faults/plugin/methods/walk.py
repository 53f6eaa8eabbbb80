"""A method whose every number hangs on all of its state: what is lost, repeated or restored wrongly shows in its rows.

It walks at random, as slowly as WALK_NAP (seconds an epoch) says. Under `fragile: some` a third of the seeds fails by
a number that is none, and a third by an exception.
"""

import os
import time
from dataclasses import dataclass

import torch

from orchestrator.knobs import Choice, Float, knob
from trainables.method import InTurn, MethodConfig


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    n_epochs: int = 6
    step: float = knob(0.1, Float(0.0, 10.0), fuses=True)
    fragile: str = knob("no", Choice("no", "some"), fuses=True)


class Walk:
    def __init__(self, config, seed, data, device):
        self.config, self.epoch = config, 0
        self.generator = torch.Generator().manual_seed(seed)
        self.weak = int(torch.randint(0, 3, (1,), generator=self.generator)) if config.fragile == "some" else 0
        self.place = data.inputs.mean(dim=0).clone()

    def fit_epoch(self):
        time.sleep(float(os.environ.get("WALK_NAP", "0")))
        self.epoch += 1
        self.place += self.config.step * torch.randn(2, generator=self.generator)
        if self.weak == 1 and self.epoch == 3:
            self.place[0] = float("nan")
        if self.weak == 2 and self.epoch == 4:
            raise ValueError("a weak walker fell")

    def evaluate(self, last):
        score = float(torch.sigmoid(self.place.sum()))
        row = {"metric.nmi": score, "metric.acc": 1 - score, "metric.neighbour_mi": score / 2, "metric.loss": -score}
        return row | ({"metric.ami": score / 3} if last else {})

    def state_dict(self):
        return {
            "epoch": torch.tensor(self.epoch),
            "place": self.place.clone(),
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, state):
        self.epoch = int(state["epoch"])
        self.place = state["place"].clone()
        self.generator.set_state(state["generator"])


class METHOD(InTurn):
    member = Walk
    Config = Config

    @classmethod
    def max_members(cls, config, data):
        return 4
