"""K-means by scikit-learn on the inputs as they are, and its spherical form: the baseline of every study."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import Tensor

from orchestrator.errors import RequestError
from orchestrator.knobs import Choice, Float, Int, knob
from trainables.data.dataset import Dataset
from trainables.diagnostics.plane import nearest_means, of_plane
from trainables.method import InTurn, MethodConfig, Row, State
from trainables.randomness import stream_seed
from trainables.scoring import score

__all__ = ["METHOD", "KMeansClustering", "KMeansConfig"]


@dataclass(frozen=True, kw_only=True)
class KMeansConfig(MethodConfig):
    """scikit-learn's defaults, which paper 2301.11405 uses (its settings are not stated)."""

    cluster_factor: float = knob(1.0, Float(0.5, 4.0, log=True), fuses=True)
    """Number of clusters over the number of classes, rounded, at least 1."""
    n_init: int = knob(10, Int(1, 100, log=True), fuses=True)
    """Restarts; the one with the least inertia stays."""
    init: str = knob("k-means++", Choice("k-means++", "random"), fuses=True)
    """How the first centres are drawn."""
    max_iterations: int = knob(300, Int(1, 10_000, log=True), fuses=True)
    """Lloyd iterations at most, each restart."""
    tolerance: float = knob(1e-4, Float(1e-8, 1e-1, log=True, also=(0.0,)), fuses=True)
    """Relative movement of the centres (scikit-learn's `tol`) below which a restart has converged."""
    spherical: bool = knob(False, Choice(False, True), fuses=True)
    """Points on the unit sphere (zero vectors stay): Euclidean there is cosine."""


class _Member:
    """One k-means; the first epoch fits, later ones have nothing left to do."""

    def __init__(self, config: KMeansConfig, seed: int, data: Dataset, device: torch.device) -> None:
        del device  # scikit-learn runs on the CPU
        self.config, self.seed, self.data = config, seed, data
        self.n_clusters = max(1, round(config.cluster_factor * data.n_classes))
        if self.n_clusters > len(data):
            raise RequestError(f"kmeans: {self.n_clusters} clusters, allowed: at most the {len(data)} points there are")
        self.labels: Tensor | None = None
        self.inertia, self.iterations = torch.tensor(torch.nan, dtype=torch.float64), torch.tensor(0)

    def _points(self, vectors: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        points = torch.nn.functional.normalize(vectors, dim=1) if self.config.spherical else vectors
        return points.numpy()

    def fit_epoch(self) -> None:
        if self.labels is not None:
            return
        asked = KMeans(
            self.n_clusters,
            init=self.config.init,
            n_init=self.config.n_init,
            max_iter=self.config.max_iterations,
            tol=self.config.tolerance,
            random_state=stream_seed(self.seed, "kmeans"),
        )
        with threadpool_limits(1):  # several threads add up the centres in the order in which they arrive
            fitted = asked.fit(self._points(self.data.vectors))
        scored = (
            fitted.labels_ if self.data.protocol == "whole" else fitted.predict(self._points(self.data.eval_vectors))
        )
        self.labels = torch.from_numpy(scored.astype(np.int64))
        self.inertia = torch.tensor(fitted.inertia_ / len(self.data), dtype=torch.float64)
        self.iterations = torch.tensor(fitted.n_iter_)

    def evaluate(self, last: bool) -> Row:
        assert self.labels is not None, "evaluated before the first epoch"
        row = score(self.labels[None], self.data, self.n_clusters, last)[0]
        row |= {"metric.loss": float(self.inertia), "diagnostic.iterations": float(self.iterations)}
        if last and not self.config.spherical:
            plane = of_plane(*nearest_means(self.data.eval_vectors, self.labels, self.n_clusters))
            row |= {f"diagnostic.{name}": float(column) for name, column in plane.items()}
        return row

    def state_dict(self) -> State:
        state = {"inertia": self.inertia, "iterations": self.iterations}
        return state if self.labels is None else state | {"labels": self.labels}

    def load_state_dict(self, state: State) -> None:
        self.inertia, self.iterations, self.labels = state["inertia"], state["iterations"], state.get("labels")


class KMeansClustering(InTurn):
    """Lloyd's algorithm with k-means++ (Arthur and Vassilvitskii 2007); loss: mean squared distance to the centre."""

    Config = KMeansConfig
    member = _Member

    @classmethod
    def max_members(cls, config: KMeansConfig, data: Dataset) -> int:
        """Members take turns: a bundle only saves the cost of a Ray trial."""
        return 16


METHOD = KMeansClustering
