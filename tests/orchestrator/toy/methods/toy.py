"""A method whose scores are a known function of its knobs and seed, with every trouble that a trial can have."""

from dataclasses import dataclass

from orchestrator.knobs import Choice, Float, knob
from trainables.method import FusedMethod, MethodConfig
from trainables.randomness import Streams


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    level: float = knob(0.5, Float(0.0, 1.0), fuses=True)
    """The score peaks at 0.7."""
    mode: str = knob("plain", Choice("plain", "worse", "same"))
    """worse costs 0.2; same is another program with the same scores."""
    trouble: str = knob("none", Choice("none", "bug", "nan", "collapse"), fuses=True)


class METHOD(FusedMethod):
    Config = Config
    member_state = ("noise",)

    def __init__(self, configs, seeds, data, device):
        super().__init__(configs, seeds, data, device)
        self.noise = Streams(seeds, "noise").normal(1)[:, 0] * 0.01

    def fit_epoch(self):
        self.epoch += 1
        if any(config.trouble == "bug" for config in self.configs):
            raise RuntimeError("a bug in the toy")

    def evaluate(self, last):
        rows = []
        for config, noise in zip(self.configs, self.noise.tolist(), strict=True):
            score = 0.8 - (config.level - 0.7) ** 2 - 0.2 * (config.mode == "worse") + noise
            score *= self.epoch / config.n_epochs
            if config.trouble == "nan" and self.epoch == 2:
                score = float("nan")
            collapsed = float(config.trouble == "collapse")
            rows.append({"metric.nmi": score, "metric.neighbour_mi": score, "metric.collapsed": collapsed})
        return rows

    @classmethod
    def max_members(cls, config, data):
        return 4
