"""A method that trains nothing and says what a linear head says: what is left is the orchestrator's own cost."""

from dataclasses import dataclass

from orchestrator.knobs import Float, knob
from trainables.method import FusedMethod, MethodConfig


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    learning_rate: float = knob(0.1, Float(0.0, 1e6), fuses=True)
    fairness_weight: float = knob(100.0, Float(0.0, 1e6), fuses=True)
    norm_weight: float = knob(1.0, Float(0.0, 1e6), fuses=True)


class METHOD(FusedMethod):
    Config = Config
    member_state = ()

    def fit_epoch(self):
        self.epoch += 1

    def evaluate(self, last):
        row = {"metric.acc": 0.5, "metric.nmi": 0.5, "metric.ari": 0.4, "metric.loss": 1.0, "diagnostic.largest": 0.2}
        return [dict(row) for _ in self.configs]
