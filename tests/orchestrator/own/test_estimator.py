"""Clusterers by name or class become methods with knobs."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.designs.fixed import fixed
from orchestrator.domains import Choice, Float, Int
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.knobs import canonical, knob
from orchestrator.own import estimator


class Fits:
    def __init__(self, n_clusters=8, tol=0.5):
        self.n_clusters, self.tol = n_clusters, tol

    def fit_predict(self, x):
        return [0] * len(x)


def test_the_parameters_of_scikit_learn_are_knobs_over_what_it_accepts():
    space = estimator("sklearn:HDBSCAN").declared.knobs
    assert space["min_cluster_size"].default == 5
    assert space["min_cluster_size"].domain == Int(2, 10**9)
    assert space["cluster_selection_method"].domain == Choice("eom", "leaf")
    assert {"n_jobs", "copy", "memory", "n_clusters"}.isdisjoint(space)


def test_every_clusterer_of_scikit_learn_has_knobs_that_hold_its_defaults():
    for name in ("KMeans", "Birch", "DBSCAN", "SpectralClustering", "GaussianMixture", "AffinityPropagation", "OPTICS"):
        space = estimator(f"sklearn:{name}").declared.knobs
        assert space, name
        canonical(space, {}, name)


def test_the_number_of_clusters_is_the_datasets_unless_a_study_says_it():
    declared = estimator("sklearn:KMeans").declared
    assert declared.knobs["n_clusters"].default is None
    assert declared.asks["counts"] == ["n_clusters"] and declared.asks["seeded"]


def test_a_class_has_the_knobs_that_are_named():
    found = estimator(Fits, knobs={"tol": Float(0, 1)})
    assert (found, found.declared.knobs["tol"].default) == ("Fits", 0.5)
    assert list(found.declared.code) == ["test_estimator.py"]


def test_a_design_takes_the_name():
    assert fixed("sklearn:DBSCAN", eps=2.0).method.declared.asks["name"] == "DBSCAN"


@pytest.mark.parametrize(
    ("what", "knobs", "says"),
    [
        ("sklearn:HDBSKAN", {}, "the nearest: HDBSCAN"),
        ("numpy:HDBSCAN", {}, "it is 'sklearn:NAME'"),
        (3, {}, "it is 'sklearn:NAME' or a class"),
        (Fits, {"tool": knob(1.0, Float(0, 1))}, "unknown argument of Fits 'tool'"),
        (Fits, ["tool"], r"knobs = \['tool'\] is not allowed"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(what, knobs, says):
    with pytest.raises((RequestError, UnknownNameError), match=says):
        estimator(what, knobs=knobs)


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(RequestError, match="name = array"):
        estimator(Fits, name=np.array([1, 2]))
