"""A Gaussian mixture fitted by expectation maximisation, through scikit-learn.

Read `Config` first, then `OneMixture` from top to bottom: it is written for a single trial, and `InTurn` trains the
members of a bundle one after another.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from orchestrator.knobs import Choice, Float, knob
from trainables.data import Dataset
from trainables.method import InTurn, MethodConfig, Row, State
from trainables.randomness import stream_seed
from trainables.scoring import score


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    """scikit-learn's defaults, but for a diagonal covariance."""

    covariance: str = knob("diag", Choice("full", "tied", "diag", "spherical"))
    """Which covariances the components may have."""
    floor: float = knob(1e-6, Float(1e-8, 1.0, log=True))
    """Added to variances, so that none vanishes."""


class OneMixture:
    """One trial: the first epoch fits, later ones have nothing left to do."""

    def __init__(self, config: Config, seed: int, data: Dataset, device: torch.device) -> None:
        self.config, self.seed, self.data = config, seed, data
        self.labels: Tensor | None = None
        self.bound = torch.tensor(torch.nan)

    def fit_epoch(self) -> None:
        """Fit the mixture; every draw follows from the trial's seed."""
        if self.labels is not None:
            return
        mixture = GaussianMixture(
            self.data.n_classes,
            covariance_type=self.config.covariance,
            reg_covar=self.config.floor,
            random_state=stream_seed(self.seed, "gaussian_mixture"),  # 32 bits, as scikit-learn takes them
        )
        mixture.fit(self.data.vectors.numpy())
        self.labels = torch.from_numpy(mixture.predict(self.data.eval_vectors.numpy())).long()
        self.bound = torch.tensor(mixture.lower_bound_)

    def evaluate(self, last: bool) -> Row:
        """Return the metrics of the labels, and the loss that was minimised."""
        assert self.labels is not None, "evaluated before the first epoch"
        (row,) = score(self.labels[None], self.data, self.data.n_classes, last)
        return row | {"metric.loss": -float(self.bound)}

    def state_dict(self) -> State:
        """Return all state."""
        return {"bound": self.bound} if self.labels is None else {"bound": self.bound, "labels": self.labels}

    def load_state_dict(self, state: State) -> None:
        """Take up a state."""
        self.bound, self.labels = state["bound"], state.get("labels")


class Mixtures(InTurn):
    """Members in turn."""

    Config = Config
    member = OneMixture


METHOD = Mixtures
