"""Trains a clusterer with `fit_predict`: one call, one row."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from orchestrator.errors import DataError
from orchestrator.own.declared import Declared
from orchestrator.own.python_object import taken
from trainables.adapters.alone import Alone, Trial, points_of, scores_of
from trainables.global_streams import GlobalStreams
from trainables.method import Method, Row, State
from trainables.randomness import stream_seed

__all__ = ["EstimatorMethod", "method_of"]


class EstimatorMethod(Alone):
    """A trial is a fit in the first epoch."""

    version: ClassVar[int] = 1

    def begin(self, trial: Trial) -> None:
        """Take up a trial."""
        self.trial, self.labels = trial, np.zeros(0, dtype=np.int64)
        self.streams = GlobalStreams(trial.seed, trial.device)

    def fit_epoch(self) -> None:
        """Build the clusterer, fit it and keep the clusters of what is scored."""
        if len(self.labels):
            return
        points, asks = points_of(self.trial.data), self.declared.asks
        arguments = dict(self.trial.knobs)
        for name in asks["counts"]:
            arguments[name] = points.n_clusters if arguments.get(name) is None else arguments[name]
        if asks["seeded"]:
            arguments["random_state"] = stream_seed(self.trial.seed, "member") >> 1
        x = points.x.reshape(len(points.x), -1)
        with self.streams.own():
            built: Any = taken(asks, self.declared.code)(**arguments)
            if points.x_test is not None:
                if not hasattr(built, "predict"):
                    raise DataError(f"{asks['name']} cannot predict, which protocol 'split' needs; use 'whole'")
                labels = built.fit(x).predict(points.x_test.reshape(len(points.x_test), -1))
            elif hasattr(built, "fit_predict"):
                labels = built.fit_predict(x)
            else:
                built.fit(x)
                labels = built.labels_
        self.labels = np.asarray(labels)

    def evaluate(self, last: bool) -> list[Row]:
        """Return the scores of its clusters."""
        return [scores_of(self.labels, self.trial.data, last=last)]

    def state_dict(self) -> State:
        """Return nothing: there is no middle of it."""
        return {}

    def load_state_dict(self, state: State) -> None:
        """Take up nothing."""


def method_of(declared: Declared) -> type[Method]:
    """Return the class that trains a declared clusterer."""
    return type("Estimator", (EstimatorMethod,), {"declared": declared, "version": declared.version})
