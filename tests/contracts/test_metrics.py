"""What every metric promises, held for each one found: nothing here knows a metric by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from orchestrator import discovery
from orchestrator.metric import Metric
from trainables.data.dataset import Dataset
from trainables.partitions.scored import Scored

METRICS = discovery.metrics(())
COMPUTED = [name for name, metric in METRICS.items() if metric.compute is not None]
N, K, C = 90, 6, 5


def partitions(members: int = 4) -> Scored:
    draws = np.random.default_rng(7)
    points = torch.tensor(draws.normal(size=(N, 4)), dtype=torch.float32)
    labels = draws.integers(C, size=N)
    data = Dataset("made up", points, torch.from_numpy(labels), C)
    features = torch.tensor(draws.normal(size=(members, N, 3)), dtype=torch.float32)
    return Scored(draws.integers(K, size=(members, N)), labels, K, C, data, features)


def column(name: str, scored: Scored) -> np.ndarray:
    compute = METRICS[name].compute
    assert compute is not None
    found = compute(scored)
    assert found is not None and found.shape == (len(scored.hard),)
    return found


@pytest.mark.parametrize("name", COMPUTED)
def test_labels_matter_to_those_that_declare_it_only(name: str) -> None:
    scored = partitions()
    other = replace(scored, labels=np.random.default_rng(1).permutation(scored.labels))
    same = np.array_equal(column(name, scored), column(name, other))
    assert same != METRICS[name].reads_labels


@pytest.mark.parametrize("name", COMPUTED)
def test_the_numbering_of_clusters_does_not_matter(name: str) -> None:
    scored = partitions()
    renamed = replace(scored, hard=np.random.default_rng(2).permutation(K)[scored.hard])
    assert column(name, renamed) == pytest.approx(column(name, scored), abs=1e-12)


@pytest.mark.parametrize("name", COMPUTED)
def test_a_member_has_its_bits_alone_and_in_a_bundle(name: str) -> None:
    scored = partitions()
    together = column(name, scored)
    assert scored.features is not None
    for member in range(len(scored.hard)):
        alone = replace(scored, hard=scored.hard[[member]], features=scored.features[[member]])
        assert column(name, alone).tobytes() == together[[member]].tobytes()


@pytest.mark.parametrize("name", COMPUTED)
def test_odd_partitions_have_finite_numbers(name: str) -> None:
    scored = partitions(1)
    alternating = np.arange(N)[None] % 2
    for hard in (np.zeros((1, N), dtype=np.int64), np.full((1, N), K - 1), alternating):
        assert np.isfinite(column(name, replace(scored, hard=hard))).all()


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.percent])
def test_what_is_printed_in_per_cent_is_at_most_one_and_one_for_the_classes_themselves(name: str) -> None:
    scored = partitions()
    assert (column(name, scored) <= 1.0).all()
    assert column(name, replace(scored, hard=scored.labels[None])) == pytest.approx(1.0)


@pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
def test_written_names_are_unique_and_chance_is_known_of_percentages(metric: Metric) -> None:
    assert [other.written for other in METRICS.values()].count(metric.written) == 1
    assert not metric.percent or metric.chance is not None
