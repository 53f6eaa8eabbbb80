"""A method that prints, warns, and then fails or dies."""

import logging
import os
import signal
from dataclasses import dataclass

from orchestrator.knobs import Choice, Float, knob
from trainables.method import InTurn, MethodConfig


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    nap: float = knob(0.0, Float(0.0, 100.0), fuses=True)
    scale: float = knob(1.0, Float(0.0, 10.0), fuses=True)
    ends: str = knob("raises", Choice("raises", "dies", "well"))


class Complaining:
    def __init__(self, config, seed, data, device):
        self.config, self.seed = config, seed

    def fit_epoch(self):
        print(f"printed by {self.seed % 2**32}")
        logging.getLogger(__name__).warning("warned by %d", self.seed % 2**32)
        if self.config.ends == "raises":
            raise RuntimeError("no more")
        if self.config.ends == "dies":
            os.kill(os.getpid(), signal.SIGKILL)

    def evaluate(self, last):
        return {"metric.nmi": 0.5}

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


class METHOD(InTurn):
    member = Complaining
    Config = Config
