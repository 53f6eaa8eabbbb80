"""Clusterers with `fit_predict` are trained in one epoch and scored like any method."""

from __future__ import annotations

import numpy as np
import pytest
from own_trials import outcome_of, said, spec_of
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.metrics import normalized_mutual_info_score

from orchestrator import discovery
from orchestrator.own import estimator
from orchestrator.trial import TrialState

DATA = "digits:subset=200"


class WithLabels:
    """As older objects are: `fit`, then `labels_`."""

    def __init__(self, n_clusters=2):
        self.n_clusters = n_clusters

    def fit(self, x):
        self.labels_ = KMeans(self.n_clusters, random_state=0, n_init=1).fit_predict(x)


def test_the_score_is_that_of_scikit_learn():
    outcome = outcome_of(said(spec_of(estimator("sklearn:HDBSCAN"), dataset=DATA, min_cluster_size=4)))
    data = discovery.load_dataset(DATA, "whole")
    labels = HDBSCAN(min_cluster_size=4, copy=False).fit_predict(data.vectors.numpy())
    assert outcome.metrics["nmi"] == pytest.approx(normalized_mutual_info_score(data.labels.numpy(), labels), abs=1e-6)
    assert outcome.state is TrialState.COMPLETE


def test_as_many_clusters_as_classes_unless_it_is_told_otherwise():
    for method in (estimator("sklearn:KMeans"), estimator(WithLabels)):
        free, told = (
            outcome_of(said(spec_of(method, dataset=DATA, **knobs))).metrics for knobs in ({}, {"n_clusters": 3})
        )
        assert free["nmi"] > told["nmi"] > 0


def test_the_seed_is_its_random_state():
    scores = [outcome_of(said(spec_of(estimator("sklearn:KMeans"), s, DATA))).metrics["nmi"] for s in (0, 0, 1, 2)]
    assert scores[0] == scores[1] and len(set(scores)) > 1
    assert np.all(np.isfinite(scores))
