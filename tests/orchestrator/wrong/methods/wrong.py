"""A method whose fused form is wrong on purpose: a member's score depends on how many train with it."""

from dataclasses import dataclass

from orchestrator.knobs import Choice, Float, knob
from trainables.method import FusedMethod, MethodConfig


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    level: float = knob(0.5, Float(0.0, 1.0), fuses=True)
    fault: str = knob("none", Choice("none", "neighbours", "late", "alone"))
    """none: right; neighbours: company moves the score; late: only after the first epoch; alone: raises alone."""


class METHOD(FusedMethod):
    Config = Config
    member_state = ()

    def fit_epoch(self):
        self.epoch += 1
        if self.configs[0].fault == "alone" and len(self) == 1:
            raise RuntimeError("cannot train one member")

    def evaluate(self, last):
        wrong = {"neighbours": True, "late": self.epoch > 1}.get(self.configs[0].fault, False)
        offset = 1e-3 * (len(self) - 1) if wrong else 0.0
        names = ("metric.nmi", "metric.loss", "metric.neighbour_mi")
        scores = [
            config.level + seed % 97 / 1e3 + offset for config, seed in zip(self.configs, self.seeds, strict=True)
        ]
        return [dict.fromkeys(names, score) | {"metric.collapsed": 0.0} for score in scores]

    @classmethod
    def max_members(cls, config, data):
        return 4
