"""Clusterers with `fit_predict`: scikit-learn's by name, its parameters as knobs; any other by its class."""

import numpy as np

from orchestrator.designs.fixed import fixed
from orchestrator.designs.one_factor import one_factor
from orchestrator.knobs import Int, knob
from orchestrator.own import estimator
from orchestrator.study import Study


class NearestOfSome:
    """Each point goes to the nearest of a few random points: the worst that a clusterer may be."""

    def __init__(self, n_clusters=8, spare=0, random_state=None):
        self.n_clusters, self.spare, self.random_state = n_clusters, spare, random_state

    def fit_predict(self, x):
        """Return the clusters of points (N, d)."""
        chosen = np.random.default_rng(self.random_state).choice(len(x), self.n_clusters + self.spare, replace=False)
        return ((x[:, None] - x[chosen]) ** 2).sum(2).argmin(1)


STUDY = Study(
    question="Does the branching factor of BIRCH matter, and is a density better?",
    design=one_factor("sklearn:Birch", {"branching_factor": [10]}),
    rivals=(
        fixed("sklearn:HDBSCAN", min_cluster_size=4),
        fixed(estimator(NearestOfSome, knobs={"spare": knob(0, Int(0, 100))})),
    ),
    datasets=("digits:subset=300",),
    seeds=8,
    margin=0.02,
)
