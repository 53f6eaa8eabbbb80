"""K-means on the inputs as they are, and its spherical form: the baseline of every study."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary, WeakValueDictionary

import torch
from torch import Tensor

from orchestrator.errors import RequestError
from orchestrator.knobs import Choice, Float, Int, knob
from trainables.assignment.kmeans.bounds import best_of
from trainables.assignment.kmeans.points import Points, nearest
from trainables.assignment.kmeans.starts import STARTS, starts_of
from trainables.data.dataset import Dataset
from trainables.diagnostics.plane import nearest_means, of_plane
from trainables.method import InTurn, MethodConfig, Row, State
from trainables.randomness import Streams
from trainables.scoring import score
from trainables.threads import one_thread

__all__ = ["METHOD", "KMeansClustering", "KMeansConfig"]


@dataclass(frozen=True, kw_only=True)
class KMeansConfig(MethodConfig):
    """scikit-learn's defaults, which paper 2301.11405 uses (its settings are not stated)."""

    cluster_factor: float = knob(1.0, Float(0.5, 4.0, log=True), fuses=True)
    """Number of clusters over the number of classes, rounded, at least 1."""
    n_init: int = knob(10, Int(1, 100, log=True), fuses=True, costs=True)
    """Restarts; the one with the least inertia stays."""
    init: str = knob("k-means++", Choice(*STARTS), fuses=True)
    """How the first centres are drawn."""
    max_iterations: int = knob(300, Int(1, 10_000, log=True), fuses=True)
    """Lloyd iterations at most, each restart."""
    tolerance: float = knob(1e-4, Float(1e-8, 1e-1, log=True, also=(0.0,)), fuses=True)
    """Squared movement of the centres over the mean variance (scikit-learn's `tol`) at which a restart stops."""
    spherical: bool = knob(False, Choice(False, True), fuses=True)
    """Points and centres on the unit sphere (zero vectors stay): the nearest centre has the largest cosine."""


class _Shared:
    """Points made ready for k-means, once for all members of a bundle, and only while one still needs them."""

    def __init__(self, data: Dataset, spherical: bool) -> None:
        self.data, self.spherical = data, spherical

    @cached_property
    def points(self) -> Points:
        """The fitted points."""
        return Points.of(self.data.vectors, self.spherical)


_shared: WeakKeyDictionary[Dataset, WeakValueDictionary[bool, _Shared]] = WeakKeyDictionary()


def _ready(data: Dataset, spherical: bool) -> _Shared:
    held = _shared.setdefault(data, WeakValueDictionary())
    found = held.get(spherical)
    if found is None:
        found = held[spherical] = _Shared(data, spherical)
    return found


class _Member:
    """One k-means; the first epoch fits, later ones have nothing left to do."""

    def __init__(self, config: KMeansConfig, seed: int, data: Dataset, device: torch.device) -> None:
        del device  # its bounds are sparse work: on the CPU
        self.config, self.seed, self.data = config, seed, data
        self.n_clusters = max(1, round(config.cluster_factor * data.n_clusters))
        if self.n_clusters > len(data):
            raise RequestError(f"kmeans: {self.n_clusters} clusters, allowed: at most the {len(data)} points there are")
        self.ready: _Shared | None = _ready(data, config.spherical)
        self.labels: Tensor | None = None
        self.centres: Tensor | None = None
        self.inertia, self.iterations = torch.tensor(torch.nan, dtype=torch.float64), torch.tensor(0)

    def fit_epoch(self) -> None:
        if self.labels is not None:
            return
        assert self.ready is not None, "fitted twice"
        config, (generator,) = self.config, Streams([self.seed], "kmeans").generators
        with one_thread():
            points = self.ready.points
            starts = starts_of(config.init, points, self.n_clusters, config.n_init, generator)
            fitted = best_of(points, starts, config.max_iterations, config.tolerance)
            whole = self.data.protocol == "whole"
            self.labels = fitted.labels if whole else nearest(self.data.eval_vectors, fitted.centres)
            self.centres = fitted.centres
        self.inertia = torch.tensor(fitted.inertia / len(self.data), dtype=torch.float64)
        self.iterations = torch.tensor(fitted.iterations)
        self.ready = None

    def evaluate(self, last: bool) -> Row:
        assert self.labels is not None, "evaluated before the first epoch"
        labels = self._of_scored(self.labels)
        row = score(labels[None], self.data, self.n_clusters, last)[0]
        row |= {"metric.loss": float(self.inertia), "diagnostic.iterations": float(self.iterations)}
        if last and not self.config.spherical:
            plane = of_plane(*nearest_means(self.data.eval_vectors, labels, self.n_clusters))
            row |= {f"diagnostic.{name}": float(column) for name, column in plane.items()}
        return row

    def _of_scored(self, labels: Tensor) -> Tensor:
        """Return the labels of the scored points; those that were fitted with others have the nearest centre's."""
        points = self.data.eval_vectors
        if len(labels) == len(points) or self.centres is None:
            return labels
        with one_thread():
            return nearest(points, self.centres)

    def state_dict(self) -> State:
        state = {"inertia": self.inertia, "iterations": self.iterations}
        fitted = {"labels": self.labels, "centres": self.centres}
        return state | {name: part for name, part in fitted.items() if part is not None}

    def load_state_dict(self, state: State) -> None:
        self.inertia, self.iterations = state["inertia"], state["iterations"]
        self.labels, self.centres = state.get("labels"), state.get("centres")


class KMeansClustering(InTurn):
    """Lloyd's algorithm with k-means++ (Arthur and Vassilvitskii 2007); loss: mean squared distance to the centre."""

    version = 2
    Config = KMeansConfig
    member = _Member

    @classmethod
    def max_members(cls, config: KMeansConfig, data: Dataset) -> int:
        """Return 16: members take turns, so that a bundle only saves the cost of Ray trials."""
        return 16


METHOD = KMeansClustering
