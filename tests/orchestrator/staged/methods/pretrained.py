"""A method on a pretraining that several seeds share: a random direction, drawn by a seed of its own, made once."""

from dataclasses import dataclass

import torch

from orchestrator.knobs import Float, Int, knob
from orchestrator.trial import Stage
from trainables.artifacts import made_once
from trainables.data.data_folder import data_folder
from trainables.method import InTurn, MethodConfig


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    gain: float = knob(0.0, Float(0.0, 1.0), fuses=True)
    n_pretrainings: int = knob(3, Int(1, 99))


class Pretrained:
    def __init__(self, config, seed, data, device):
        stage_seed = seed % config.n_pretrainings
        reads = {"dataset": data.digest, "seed": stage_seed}
        self.stages = (Stage.of("pretraining", reads, drawn=True),)
        generator = torch.Generator().manual_seed(stage_seed)
        made = made_once(
            data_folder() / "pretraining",
            self.stages[0].key,
            lambda: {"direction": torch.randn(data.vectors.shape[1], generator=generator)},
        )
        self.score, self.epoch = config.gain * float(made["direction"].abs().mean()), 0

    def fit_epoch(self):
        self.epoch += 1

    def evaluate(self, last):
        return {"metric.nmi": self.score, "metric.loss": 0.0}

    def state_dict(self):
        return {"epoch": torch.tensor(self.epoch)}

    def load_state_dict(self, state):
        self.epoch = int(state["epoch"])


class METHOD(InTurn):
    Config, member = Config, Pretrained
