"""K-means reaches what scikit-learn's does, seeded by the trial at one thread, and is scored once per evaluation."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

from orchestrator.errors import RequestError
from trainables.assignment.kmeans.points import Points
from trainables.assignment.spherical_kmeans import spherical_kmeans
from trainables.data.dataset import Dataset
from trainables.datasets import digits, gaussians
from trainables.method import Row
from trainables.methods.kmeans import KMeansClustering, KMeansConfig

CPU = torch.device("cpu")


def row(data: Dataset, seed: int = 7, **knobs: object) -> Row:
    method = KMeansClustering([KMeansConfig(n_epochs=2, **knobs)], [seed], data, CPU)  # type: ignore[arg-type]
    method.fit_epoch()
    return method.evaluate(last=True)[0]


def test_it_reaches_what_scikit_learn_reaches() -> None:
    data = gaussians.load()
    theirs = KMeans(10, n_init=10, random_state=0).fit(data.vectors.numpy())
    mine = row(data)
    assert mine["metric.loss"] == pytest.approx(theirs.inertia_ / len(data), rel=1e-5)
    assert mine["metric.nmi"] == pytest.approx(normalized_mutual_info_score(data.labels, theirs.labels_))


def test_on_digits_its_inertia_over_seeds_is_that_of_scikit_learn() -> None:
    data = digits.load()
    mine = [row(data, seed, n_init=3)["metric.loss"] for seed in range(12)]
    theirs = [KMeans(10, n_init=3, random_state=seed).fit(data.vectors.numpy()).inertia_ for seed in range(12)]
    assert np.mean(mine) == pytest.approx(np.mean(theirs) / len(data), rel=3e-3)


def test_the_same_seed_has_the_same_bits_at_any_number_of_threads_and_whatever_was_imported_first() -> None:
    code = (
        "import sys; first, threads = sys.argv[1], int(sys.argv[2])\n"
        "exec(f'import {first}')\n"
        "import torch; torch.set_num_threads(threads)\n"
        "from trainables.datasets import mnist_5k; from trainables.methods.kmeans import METHOD, KMeansConfig\n"
        "method = METHOD([KMeansConfig(n_init=2)], [5], mnist_5k.load(), torch.device('cpu'))\n"
        "method.fit_epoch(); print(method.evaluate(True)[0]['metric.loss'].hex(), torch.get_num_threads())"
    )
    found = set()
    for first, threads in (("torch", "1"), ("sklearn.cluster", "2")):
        run = subprocess.run([sys.executable, "-c", code, first, threads], capture_output=True, text=True, check=True)
        inertia, left = run.stdout.split()
        assert left == threads
        found.add(inertia)
    assert len(found) == 1


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


def test_spherical_centres_are_unit_vectors_and_their_objective_is_that_of_spherical_k_means() -> None:
    data = digits.load()
    found = row(data, spherical=True)
    uniforms = torch.rand(1, 10, 10, generator=torch.Generator().manual_seed(0))
    theirs = spherical_kmeans(data.vectors[None], uniforms)
    cosine = 1.0 - found["metric.loss"] / 2.0  # |x - c|^2 = 2 - 2 cos on the sphere
    assert cosine == pytest.approx(float(theirs.objective) / len(data), rel=1e-3)


def test_points_are_made_ready_once_for_a_bundle_and_forgotten_when_all_are_fitted(monkeypatch) -> None:
    made = []
    ready = Points.of

    def counting(vectors: torch.Tensor, spherical: bool = False) -> Points:
        made.append(spherical)
        return ready(vectors, spherical)

    monkeypatch.setattr(Points, "of", counting)
    configs = [KMeansConfig(n_init=1, spherical=spherical) for spherical in (False, True, False, False)]
    data = gaussians.load()
    method = KMeansClustering(configs, [1, 2, 3, 4], data, CPU)
    method.fit_epoch()
    assert sorted(made) == [False, True]
    KMeansClustering(configs[:1], [1], data, CPU).fit_epoch()
    assert len(made) == 3


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
