"""Clusters of a stream are born, sleep, wake and die when they should, or stay as many as they were; it follows."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from orchestrator import discovery
from orchestrator.knobs import configured
from trainables.data.dataset import Dataset
from trainables.methods.hard_stream import ASLEEP, AWAKE, BORN, FREE, METHOD, YOUNG, HardStream

SMALL = {"batch_size": 16, "capacity": 12, "centroid_lr": 1e-2}


def heaps(centres: list[tuple[float, float]], arrival: list[int] | None = None, each: int = 40) -> Dataset:
    """Small heaps of points in the plane; heap k comes in phase arrival[k]."""
    labels = torch.arange(len(centres)).repeat_interleave(each)
    noise = 0.1 * torch.randn(len(labels), 2, generator=torch.Generator().manual_seed(0))
    phases = None if arrival is None else torch.tensor(arrival)[labels]
    return Dataset("heaps", torch.tensor(centres)[labels] + noise, labels, len(centres), arrival=phases)


def built(data: Dataset, n_epochs: int, *knobs: dict[str, Any]) -> HardStream:
    configs = [configured(METHOD.Config, SMALL | each, n_epochs, "hard_stream") for each in knobs or ({},)]
    return METHOD(configs, [3] * len(configs), data, torch.device("cpu"))


FOUR = [(-3.0, -3.0), (-3.0, 3.0), (3.0, -3.0), (3.0, 3.0)]


def states(trained: HardStream) -> Tensor:
    return trained.states[0]


def test_an_epoch_sees_the_points_of_its_phase_alone_and_scores_what_has_come() -> None:
    data = heaps(FOUR, [0, 0, 1, 1])
    trained = built(data, 4)
    assert [trained.phase(epoch) for epoch in range(4)] == [0, 0, 1, 1]
    trained.fit_epoch()
    assert float(trained.wins.sum()) == 80.0
    early = trained.evaluate(False)[0]
    for _ in range(3):
        trained.fit_epoch()
    late = trained.evaluate(True)[0]
    assert early["metric.nmi"] > 0.6 and late["metric.nmi"] > 0.8


def test_a_class_that_appears_gets_a_cluster_of_its_own() -> None:
    trained = built(heaps(FOUR, [0, 0, 1, 2]), 6, {"start_clusters": 2, "least_share": 0.05})
    known = []
    for _ in range(6):
        trained.fit_epoch()
        known.append(int((states(trained) != FREE).sum()))
    assert known[1] == 2 or known[1] == 3
    assert known[1] < known[3] < known[5]
    assert trained.evaluate(True)[0]["metric.nmi"] > 0.9


def test_a_cluster_that_wins_nothing_sleeps_stays_known_and_wakes_when_its_points_come_again() -> None:
    data = heaps(FOUR, [0, 0, 1, 1])
    trained = built(data, 4, {"start_clusters": 2, "least_share": 0.05, "birth_factor": 3.0})
    for _ in range(4):
        trained.fit_epoch()
    asleep = states(trained) == ASLEEP
    assert int(asleep.sum()) >= 1
    owners = trained.assigned(data.inputs[:80])[0][0].unique()
    sleepers = owners[asleep[owners]]
    assert len(sleepers) >= 1  # points of the first phase still belong to them
    trained.epoch = 0  # the first phase comes again
    trained.fit_epoch()
    assert not bool((states(trained)[sleepers] == ASLEEP).any())


def test_a_cluster_is_judged_an_epoch_after_its_birth_and_forgotten_if_it_wins_little() -> None:
    trained = built(heaps(FOUR), 5, {"least_share": 0.2, "birth_factor": 0.0, "start_clusters": 2})
    trained.states[0, 5] = BORN
    trained.centroids.data[0, 5] = torch.tensor([50.0, 50.0])
    trained.fit_epoch()
    assert int(states(trained)[5]) == YOUNG
    trained.fit_epoch()
    assert int(states(trained)[5]) == FREE and float(trained.counts[0, 1]) == 1.0


def test_without_births_and_sleep_the_number_of_clusters_is_fixed() -> None:
    trained = built(heaps(FOUR, [0, 0, 1, 1]), 4, {"birth_factor": 0.0, "least_share": 0.0, "start_clusters": 4})
    for _ in range(4):
        trained.fit_epoch()
    assert states(trained).tolist() == [AWAKE] * 4 + [FREE] * 8


def test_there_are_never_more_clusters_than_places_and_somebody_is_always_awake() -> None:
    trained = built(heaps(FOUR), 3, {"capacity": 3, "birth_factor": 1.1, "least_share": 0.2}, {"least_share": 0.2})
    for _ in range(3):
        trained.fit_epoch()
    assert bool(((trained.states == AWAKE).sum(1) >= 1).all())
    assert int((states(trained) != FREE).sum()) <= 3


def test_features_may_be_learned_meanwhile() -> None:
    trained = built(heaps(FOUR), 2, {"features": "learned", "encoder_width": 16, "output_dim": 8, "view": "noise"})
    before = trained.parts["encoder"].params[0].detach().clone()
    trained.fit_epoch()
    assert not torch.equal(before, trained.parts["encoder"].params[0])
    assert trained.centroids.shape == (1, 12, 8)
    assert "metric.feature_std" in trained.evaluate(True)[0]


def test_on_a_stream_of_digits_it_follows_classes_better_than_a_fixed_number_of_clusters_does() -> None:
    data = discovery.load_dataset("digits:stream=class:5", "whole")
    fixed = {"birth_factor": 0.0, "least_share": 0.0, "start_clusters": 10}
    trained = built(data, 15, {"batch_size": 64, "capacity": 64}, {"batch_size": 64, "capacity": 64, **fixed})
    for _ in range(15):
        trained.fit_epoch()
    followed, stayed = (row["metric.ami"] for row in trained.evaluate(True))
    assert followed > 0.5
    assert followed > stayed + 0.03


def test_a_phase_in_which_nobody_comes_changes_nothing() -> None:
    trained = built(heaps(FOUR[:2], [0, 2]), 3)
    trained.fit_epoch()
    before = trained.centroids.detach().clone()
    trained.fit_epoch()
    assert torch.equal(before, trained.centroids)
    assert trained.evaluate(False)[0]["metric.loss"] == 0.0


@pytest.mark.parametrize("phases", [1, 3])
def test_a_budget_shorter_than_the_stream_ends_early(phases: int) -> None:
    trained = built(heaps(FOUR[:3], [0, 1, 2]), phases)
    for _ in range(phases):
        trained.fit_epoch()
    row = trained.evaluate(True)[0]
    assert row["diagnostic.known"] >= 1 and trained.phase(phases - 1) == phases - 1
