"""Rows of metrics: each name is declared, costs are kept, labels are read only where said; what guessing scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score

from orchestrator import discovery
from orchestrator.metric import Cost
from trainables.data.dataset import Dataset
from trainables.scoring import add_columns, chance_levels, diagnostics, measuring, score


def dataset(n: int = 60, n_classes: int = 4) -> Dataset:
    draws = np.random.default_rng(0)
    points = torch.tensor(draws.normal(size=(n, 3)), dtype=torch.float32)
    return Dataset("made up", points, torch.tensor(draws.integers(n_classes, size=n)), n_classes)


def hard(members: int, n: int = 60, n_clusters: int = 4) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(1).integers(n_clusters, size=(members, n)))


def declared(**facts: object) -> set[str]:
    """Columns of the metrics that are computed here and have these facts."""
    found = discovery.metrics(()).items()
    return {
        f"metric.{name}"
        for name, metric in found
        if metric.compute is not None and all(getattr(metric, fact) == value for fact, value in facts.items())
    }


def test_shuffled_labels_change_the_metrics_that_declare_it_only() -> None:
    data, found = dataset(), hard(2)
    found[0] = data.labels
    shuffled = Dataset("made up", data.inputs, data.labels[torch.randperm(60)], 4)
    before, after = score(found, data, 4, last=True)[0], score(found, shuffled, 4, last=True)[0]
    assert {name for name in before if before[name] != after[name]} == declared(reads_labels=True)
    assert before["metric.acc"] == 1.0 and after["metric.acc"] < 1.0


def test_what_is_expensive_comes_at_the_last_evaluation_and_features_are_scored_where_given() -> None:
    row = score(hard(2), dataset(), 4, last=True, features=torch.randn(2, 60, 8))[0]
    assert set(row) == declared()
    early = set(score(hard(2), dataset(), 4, last=False)[0])
    assert set(row) - early == declared(cost=Cost.LAST) | {"metric.feature_std"}


def test_a_member_has_the_same_bits_alone_and_in_a_bundle() -> None:
    data, found, features = dataset(400), hard(7, 400, 9), torch.randn(7, 400, 5)
    together = score(found, data, 9, last=True, features=features)
    for member in range(7):
        alone = score(found[[member]], data, 9, last=True, features=features[[member]])
        assert alone == [together[member]]


PURITY = """
from orchestrator.metric import GUESSED, Metric


def compute(scored):
    return scored.table.max(2).sum(1) / scored.hard.shape[1]


METRIC = Metric(written="purity", compute=compute, reads_labels=True, percent=True, chance=GUESSED)
"""


def test_metrics_of_a_plugin_folder_are_computed_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "purity.py").write_text(PURITY)
    data = dataset()
    with measuring([str(tmp_path)]):
        assert score(data.labels[None], data, 4, last=False)[0]["metric.purity"] == 1.0
    assert "metric.purity" not in score(data.labels[None], data, 4, last=False)[0]
    levels = chance_levels(data.labels, 4, [str(tmp_path)])
    assert levels["acc"] <= levels["purity"] < 0.6


def test_chance_agrees_with_the_expected_information_that_ami_takes_off() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 1000)
    guess = np.random.default_rng(1).permutation(np.arange(1000) % 10)
    nmi, ami = normalized_mutual_info_score(labels, guess), adjusted_mutual_info_score(labels, guess)
    assert chance_levels(labels, 10)["nmi"] == pytest.approx((nmi - ami) / (1 - ami), abs=5e-4)


def test_a_partition_is_matched_to_the_classes_before_it_is_counted() -> None:
    assert chance_levels(np.arange(1000) % 2, 2)["acc"] == pytest.approx(0.5 + 0.5 / np.sqrt(500 * np.pi), abs=6e-3)


def test_an_unequal_class_is_easy_to_hit_and_the_adjusted_metrics_stand_at_zero() -> None:
    found = chance_levels(np.r_[np.zeros(900, int), np.ones(100, int)], 1)
    assert found["acc"] == 0.9 and found["nmi"] == 0.0 and found["ari"] == found["ami"] == 0.0


def test_the_same_data_have_the_same_chance_level_and_unknown_levels_are_left_out() -> None:
    labels = np.arange(300) % 7
    assert chance_levels(labels, 7) == chance_levels(labels, 7)
    assert set(chance_levels(labels, 7)) == {"acc", "nmi", "ari", "ami"}


def test_columns_of_all_members_become_numbers_of_each_row() -> None:
    rows: list[dict[str, float]] = [{"metric.nmi": 0.5}, {}]
    logged = diagnostics({"births": torch.tensor([1, 2]), "gap": torch.tensor([0.25, 0.5])})
    add_columns(rows, {"metric.loss": np.array([3.0, 4.0]), **logged})
    assert rows == [
        {"metric.nmi": 0.5, "metric.loss": 3.0, "diagnostic.births": 1.0, "diagnostic.gap": 0.25},
        {"metric.loss": 4.0, "diagnostic.births": 2.0, "diagnostic.gap": 0.5},
    ]
    assert all(type(number) is float for row in rows for number in row.values())
    with pytest.raises(ValueError, match=r"shorter|longer"):
        add_columns(rows, {"metric.loss": np.zeros(3)})
