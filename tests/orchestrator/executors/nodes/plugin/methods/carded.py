"""A method that trains nothing and tells on which card of which node, and when."""

import os
import time
from dataclasses import dataclass

import ray
import torch

from orchestrator.knobs import Float, knob
from trainables.method import InTurn, MethodConfig


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    nap: float = knob(0.4, Float(0.0, 100.0), fuses=True)
    level: float = knob(0.5, Float(0.0, 1.0), fuses=True)


class Carded:
    def __init__(self, config, seed, data, device):
        self.config, self.seed, self.epoch = config, seed, 0

    def fit_epoch(self):
        self.began = time.time()
        time.sleep(self.config.nap)
        self.epoch += 1

    def evaluate(self, last):
        node = int(ray.get_runtime_context().get_node_id()[:8], 16)
        return {
            "metric.nmi": self.config.level + 0.01 * (self.seed % 97) + 0.001 * self.epoch,
            "diagnostic.node": float(node),
            "diagnostic.card": float(os.environ.get("CUDA_VISIBLE_DEVICES") or -1),
            "diagnostic.began": self.began,
            "diagnostic.ended": time.time(),
        }

    def state_dict(self):
        return {"epoch": torch.tensor(self.epoch)}

    def load_state_dict(self, state):
        self.epoch = int(state["epoch"])


class METHOD(InTurn):
    member = Carded
    Config = Config
