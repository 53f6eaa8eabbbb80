"""Metrics agree with scikit-learn, ignore how clusters are numbered, and read labels only where they may."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from trainables.data.dataset import Dataset
from trainables.metrics import EXTERNAL_METRICS, INTERNAL_METRICS, mutual_information, score

OF_A_METHOD = "metric.semantic_preservation"


def dataset(n: int = 60, n_classes: int = 4, seed: int = 0) -> Dataset:
    generator = np.random.default_rng(seed)
    points = torch.tensor(generator.normal(size=(n, 3)), dtype=torch.float32)
    return Dataset("made up", points, torch.tensor(generator.integers(n_classes, size=n)), n_classes)


def hard(members: int, n: int, n_clusters: int, seed: int) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(seed).integers(n_clusters, size=(members, n)))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 7), st.integers(12, 70), st.integers(0, 10_000))
def test_external_metrics_equal_those_of_scikit_learn(n_classes: int, n_clusters: int, n: int, seed: int) -> None:
    data, found = dataset(n, n_classes, seed), hard(3, n, n_clusters, seed + 1)
    labels = data.labels.numpy()
    for member, row in enumerate(score(found, data, n_clusters, last=True)):
        mine = found[member].numpy()
        assert row["metric.nmi"] == pytest.approx(oracle.normalized_mutual_info_score(labels, mine), abs=1e-10)
        assert row["metric.ari"] == pytest.approx(oracle.adjusted_rand_score(labels, mine), abs=1e-10)
        assert row["metric.ami"] == pytest.approx(oracle.adjusted_mutual_info_score(labels, mine), abs=1e-10)
        if 1 < len(set(mine[data.probes])) < n:
            theirs = oracle.silhouette_score(data.inputs.double().numpy(), mine)
            assert row["metric.silhouette"] == pytest.approx(theirs, abs=1e-10)


@pytest.mark.parametrize("n", [2, 5, 40])
def test_single_points_that_match_single_points_are_in_full_agreement(n: int) -> None:
    order = torch.randperm(n, generator=torch.Generator().manual_seed(1))
    data = Dataset("singletons", torch.randn(n, 3), order, n)
    row, other = score(torch.stack([torch.arange(n), torch.zeros(n, dtype=torch.int64)]), data, n, last=True)
    assert [row[f"metric.{name}"] for name in ("ami", "nmi", "ari", "acc")] == pytest.approx([1.0] * 4)
    assert other["metric.ami"] == 0.0


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 4), st.integers(2, 4), st.integers(0, 10_000))
def test_accuracy_is_the_best_over_all_matchings_tried_one_by_one(k: int, c: int, seed: int) -> None:
    from itertools import permutations

    data, found = dataset(30, c, seed), hard(1, 30, k, seed + 1)
    larger = max(k, c)
    best = max(
        float((np.array(renamed)[found[0].numpy()] == data.labels.numpy()).mean())
        for renamed in permutations(range(larger), k)
    )
    assert score(found, data, k, last=False)[0]["metric.acc"] == pytest.approx(best, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(5)), st.integers(0, 10_000))
def test_no_metric_depends_on_the_numbering_of_clusters(renamed: list[int], seed: int) -> None:
    data, found = dataset(seed=seed), hard(2, 60, 5, seed)
    before, after = score(found, data, 5, last=True), score(torch.tensor(renamed)[found], data, 5, last=True)
    for left, right in zip(before, after, strict=True):
        assert left == pytest.approx(right, abs=1e-12)


def test_shuffled_labels_change_external_metrics_only() -> None:
    data, found = dataset(), hard(2, 60, 4, 1)
    found[0] = data.labels
    shuffled = Dataset("made up", data.inputs, data.labels[torch.randperm(60)], 4)
    before, after = score(found, data, 4, last=True)[0], score(found, shuffled, 4, last=True)[0]
    assert {name for name in before if before[name] != after[name]} == set(EXTERNAL_METRICS) - {OF_A_METHOD}
    assert before["metric.acc"] == 1.0 and after["metric.acc"] < 1.0


def test_every_name_is_declared_either_external_or_internal() -> None:
    features = torch.randn(2, 60, 8)
    row = score(hard(2, 60, 4, 1), dataset(), 4, last=True, features=features)[0]
    assert set(row) == {*EXTERNAL_METRICS, *INTERNAL_METRICS} - {OF_A_METHOD}
    early = set(score(hard(2, 60, 4, 1), dataset(), 4, last=False)[0])
    assert set(row) - early == {
        "metric.ami",
        "metric.silhouette",
        "metric.preservation",
        "metric.feature_std",
    }


def test_a_member_has_the_same_bits_alone_and_in_a_bundle() -> None:
    data, found, features = dataset(400), hard(7, 400, 9, 3), torch.randn(7, 400, 5)
    together = score(found, data, 9, last=True, features=features)
    for member in range(7):
        alone = score(found[[member]], data, 9, last=True, features=features[[member]])
        assert alone == [together[member]]


def test_mutual_information_is_that_of_scikit_learn_and_zero_for_one_cluster() -> None:
    tables = np.random.default_rng(0).integers(0, 9, size=(4, 3, 5))
    theirs = [oracle.mutual_info_score(None, None, contingency=table) for table in tables]
    assert mutual_information(tables) == pytest.approx(theirs, abs=1e-12)
    row = score(torch.zeros(1, 60, dtype=torch.int64), dataset(), 4, last=True)[0]
    assert row["metric.neighbour_mi"] == 0.0 and row["metric.preservation"] == 1.0
    assert row["metric.silhouette"] == 0.0


def test_neighbour_information_rewards_agreement_with_every_cluster_used() -> None:
    centres = torch.arange(4.0).repeat_interleave(25)[:, None] * 100
    data = Dataset("four heaps", centres + torch.rand(100, 1), (centres[:, 0] / 100).long(), 4)
    row = score(data.labels[None], data, 4, last=False)[0]
    assert row["metric.neighbour_mi"] == pytest.approx(np.log(4))
    assert row["metric.effective_clusters"] == pytest.approx(4.0) and row["metric.collapsed"] == 0.0


@pytest.mark.parametrize(
    ("sizes", "collapsed"),
    [((96, 2, 1, 1), 1.0), ((50, 50, 0, 0), 0.0), ((60, 40, 0, 0), 1.0), ((25, 25, 25, 25), 0.0)],
)
def test_collapse_is_few_effective_clusters_or_one_large_one(sizes: tuple[int, ...], collapsed: float) -> None:
    found = torch.repeat_interleave(torch.arange(4), torch.tensor(sizes))[None]
    assert score(found, dataset(100), 4, last=False)[0]["metric.collapsed"] == collapsed


def test_flat_features_count_as_collapse() -> None:
    data, found = dataset(), hard(2, 60, 4, 1)
    features = torch.randn(2, 60, 16, generator=torch.Generator().manual_seed(0))
    features[1] = 1.0 + 1e-4 * features[1]
    rows = score(found, data, 4, last=False, features=features)
    assert [row["metric.collapsed"] for row in rows] == [0.0, 1.0]
    assert rows[0]["metric.feature_std"] == pytest.approx(1 / 4, abs=0.02)
