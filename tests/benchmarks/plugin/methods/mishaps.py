"""A method that trains nothing and comes to grief in one trial of twenty, by seed: what a long run must bear."""

import os
import random
from dataclasses import dataclass

from orchestrator.knobs import Float, knob
from trainables.method import FusedMethod, MethodConfig

NAN, RAISES, DISK = 0.025, 0.05, 0.06
"""Below the first a trial's score is no number, below the second it raises, below the third the disk often fails it."""


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    level: float = knob(0.0, Float(0.0, 1e6), fuses=True)


class METHOD(FusedMethod):
    Config = Config
    member_state = ()

    def fit_epoch(self):
        self.epoch += 1
        for fate in self.fates() if self.epoch == 3 else ():
            if NAN <= fate < RAISES:
                raise ValueError("a mishap")
            if RAISES <= fate < DISK and os.urandom(1)[0] < 128:
                raise OSError("a mishap of the disk, that another attempt may be spared")

    def evaluate(self, last):
        return [
            {"metric.nmi": float("nan") if fate < NAN else 0.5, "metric.loss": 1.0, "diagnostic.largest": 0.2}
            for fate in self.fates()
        ]

    def fates(self):
        return [
            random.Random(f"{seed} {config.level}").random()
            for seed, config in zip(self.seeds, self.configs, strict=True)
        ]

    @classmethod
    def max_members(cls, config, data):
        return 32
