"""K-means is scikit-learn's, seeded by the trial, and scored once per evaluation."""

from __future__ import annotations

import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

from orchestrator.errors import RequestError
from trainables.data.dataset import Dataset
from trainables.datasets import digits, gaussians
from trainables.method import Row
from trainables.methods.kmeans import KMeansClustering, KMeansConfig
from trainables.randomness import stream_seed

CPU = torch.device("cpu")


def row(data: Dataset, seed: int = 7, **knobs: object) -> Row:
    method = KMeansClustering([KMeansConfig(n_epochs=2, **knobs)], [seed], data, CPU)  # type: ignore[arg-type]
    method.fit_epoch()
    return method.evaluate(last=True)[0]


def test_it_is_scikit_learns_k_means_under_the_trials_own_stream() -> None:
    data = gaussians.load()
    theirs = KMeans(10, n_init=10, random_state=stream_seed(7, "kmeans")).fit(data.vectors.numpy())
    mine = row(data)
    assert mine["metric.loss"] == pytest.approx(theirs.inertia_ / len(data), rel=1e-6)
    assert mine["metric.nmi"] == pytest.approx(normalized_mutual_info_score(data.labels, theirs.labels_))


def test_digits_give_the_published_level() -> None:
    assert row(digits.load())["metric.nmi"] == pytest.approx(0.742, abs=0.02)


def test_a_later_epoch_changes_nothing() -> None:
    method = KMeansClustering([KMeansConfig(n_init=1)], [3], gaussians.load(), CPU)
    method.fit_epoch()
    before = method.evaluate(last=False)
    method.fit_epoch()
    assert method.evaluate(last=False) == before


def test_spherical_ignores_the_length_of_a_point() -> None:
    data = gaussians.load()
    lengths = torch.linspace(0.5, 2.0, len(data))[:, None]
    stretched = Dataset("stretched", data.inputs * lengths, data.labels, 10)
    mine, theirs = row(data, spherical=True, n_init=2), row(stretched, spherical=True, n_init=2)
    assert mine["metric.ari"] == pytest.approx(theirs["metric.ari"]) and mine["metric.nmi"] > 0.5


def test_split_scores_the_points_that_were_not_fitted() -> None:
    data = gaussians.load()
    split = Dataset("split", data.inputs[:700], data.labels[:700], 10, data.inputs[700:], data.labels[700:])
    assert row(split.under("split"))["metric.acc"] > 0.9
    assert row(split.under("whole"))["metric.loss"] == pytest.approx(row(data)["metric.loss"], rel=1e-5)


def test_more_clusters_than_points_is_one_readable_line() -> None:
    few = Dataset("few", torch.randn(3, 2), torch.tensor([0, 1, 2]), 10)
    with pytest.raises(RequestError, match="10 clusters, allowed: at most the 3 points"):
        KMeansClustering([KMeansConfig()], [0], few, CPU)


def test_one_cluster_is_a_defined_and_collapsed_result() -> None:
    one = Dataset("one", torch.randn(30, 2), torch.zeros(30, dtype=torch.int64), 1)
    found = row(one)
    assert found["metric.collapsed"] == 1.0 and found["metric.nmi"] == 1.0 and found["metric.neighbour_mi"] == 0.0
