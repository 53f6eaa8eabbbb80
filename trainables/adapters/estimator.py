"""Trains a clusterer with `fit_predict`: one call, one row."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from orchestrator.errors import DataError, RequestError
from orchestrator.own.declared import Declared
from orchestrator.own.python_object import taken
from trainables.adapters.alone import Alone, Kept, Trial, points_of, scores_of
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
        self.built: Any = None
        """The clusterer, once it is fitted."""
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
            self.built = built = taken(asks, self.declared.code)(**arguments)
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

    def assign(self, points: npt.NDArray[np.float32], kept: Kept) -> npt.NDArray[Any]:
        """Fit it again, by its seed on its points, and return what its `predict` says of new ones.

        A fitted clusterer could be kept as a pickle only, which runs whatever code is in it. So nothing of it is kept
        but its clusters, and a second fit has to find the same ones.

        Raises:
            RequestError: it has no `predict`, or its clusters were not kept.
            DataError: fitted again it finds other clusters.
        """
        who = self.declared.name
        if not hasattr(taken(self.declared.asks, self.declared.code), "predict"):
            raise RequestError(f"{who} has no predict(x): it clusters the points that it is fitted to, and no others")
        if kept.assignments is None:
            raise RequestError(f"no assignments are kept of the trial of {who}; run its study with --set keep=confirm")
        self.fit_epoch()
        names, clusters = np.unique(self.labels, return_inverse=True)
        if not np.array_equal(clusters, kept.assignments):
            raise DataError(
                f"{who} was fitted again, and finds other clusters than those that are kept: its code, a library or "
                "the processor is another one now"
            )
        with self.streams.own():
            found = np.asarray(self.built.predict(points.reshape(len(points), -1)))
        counted = {name: place for place, name in enumerate(names.tolist())}
        for name in np.unique(found).tolist():
            counted.setdefault(name, len(counted))  # clusters that no scored point was in
        return np.array([counted[name] for name in found.tolist()], dtype=np.int64)

    def state_dict(self) -> State:
        """Return nothing: there is no middle of it."""
        return {}

    def load_state_dict(self, state: State) -> None:
        """Take up nothing."""


def method_of(declared: Declared) -> type[Method]:
    """Return the class that trains a declared clusterer."""
    return type("Estimator", (EstimatorMethod,), {"declared": declared, "version": declared.version})
