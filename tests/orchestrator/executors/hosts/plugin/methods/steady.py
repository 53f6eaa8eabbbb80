"""A method whose numbers follow from all epochs before, and whose rows tell on which host each epoch was trained."""

import os
import platform
import re
import time
from dataclasses import dataclass

import torch

from orchestrator.knobs import Float, Int, knob
from trainables.method import InTurn, MethodConfig


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    nap_ms: int = knob(250, Int(0, 100_000))
    level: float = knob(0.5, Float(0.0, 1.0), fuses=True)


class Steady:
    def __init__(self, config, seed, data, device):
        self.config = config
        self.generator = torch.Generator().manual_seed(seed % 2**32)
        self.total = torch.zeros(64, dtype=torch.float64)

    def fit_epoch(self):
        if not os.environ.get("STEADY_AT_ONCE"):
            time.sleep(self.config.nap_ms / 1e3)
        step = torch.randn(64, generator=self.generator, dtype=torch.float64)
        self.total = torch.tanh(0.9 * self.total + self.config.level * step)

    def evaluate(self, last):
        number = re.search(r"\d+$", platform.node())
        return {
            "metric.nmi": float(self.total.mean()),
            "diagnostic.host": float(number[0]) if number else 0.0,
            "diagnostic.pid": float(os.getpid()),
            "diagnostic.at": time.time(),
        }

    def state_dict(self):
        return {"total": self.total, "generator": self.generator.get_state()}

    def load_state_dict(self, state):
        self.total = state["total"]
        self.generator.set_state(state["generator"])


class METHOD(InTurn):
    member = Steady
    Config = Config
