"""SimSiam: its loss and rates, when k-means runs, points outside the training part, and that it learns on images."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from orchestrator.errors import RequestError
from orchestrator.knobs import configured
from trainables.data.dataset import Dataset
from trainables.datasets import digits
from trainables.methods.simsiam import METHOD, SimSiam

SMALL = {
    "encoder_width": 32,
    "projection_dim": 32,
    "predictor_dim": 8,
    "batch_size": 64,
    "view": "affine",
    "kmeans_restarts": 1,
}


def some(n: int, n_test: int = 0) -> Dataset:
    whole = digits.load()
    if not n_test:
        return Dataset("some digits", whole.inputs[:n], whole.labels[:n], 10)
    rest = slice(n, n + n_test)
    return Dataset("parts", whole.inputs[:n], whole.labels[:n], 10, whole.inputs[rest], whole.labels[rest]).under(
        "split"
    )


def built(data: Dataset, n_epochs: int, *knobs: dict[str, Any]) -> SimSiam:
    configs = [configured(METHOD.Config, SMALL | each, n_epochs, "simsiam") for each in knobs or ({},)]
    return METHOD(configs, [3] * len(configs), data, torch.device("cpu"))


def test_the_loss_is_minus_a_mean_cosine_and_the_predictors_rate_does_not_decay() -> None:
    trained = built(some(130), 4)
    last = []
    for _ in range(4):
        trained.fit_epoch()
        assert -1.0 <= trained.evaluate(False)[0]["metric.loss"] <= 1.0
        last.append([part.params[0].detach().clone() for part in trained.parts.values()])
    encoder, _, predictor = (float((new - old).norm()) for old, new in zip(last[-2], last[-1], strict=True))
    first = float((last[1][0] - last[0][0]).norm())
    assert encoder < first and predictor > 0


def test_kmeans_runs_for_the_members_whose_turn_it_is_and_at_the_end() -> None:
    trained = built(some(130), 3, {"kmeans_every": 1}, {"kmeans_every": 2}, {"kmeans_every": 50})
    before, turns = trained.labels.clone(), []
    for _ in range(3):
        trained.fit_epoch()
        turns.append([not torch.equal(*pair) for pair in zip(before, trained.labels, strict=True)])
        before = trained.labels.clone()
    assert turns[0] == [True, False, False]
    assert turns[1][2] is False and turns[2] == [True, True, True]


def test_points_outside_the_training_part_go_to_the_nearest_centre() -> None:
    trained = built(some(200, 60), 2)
    for _ in range(2):
        trained.fit_epoch()
    labels, features = trained.assigned(trained.data.eval_inputs)
    assert labels.shape == (1, 60) and features is not None
    cosines = torch.nn.functional.cosine_similarity(features[0][:, None], trained.centres[0][None], dim=2)
    assert torch.equal(labels[0], cosines.argmax(1))


def test_more_clusters_than_points_are_refused_in_one_line() -> None:
    with pytest.raises(RequestError, match="10 clusters, allowed: at most the 8 points there are"):
        built(some(8), 1)


def test_it_learns_on_images_and_does_not_collapse() -> None:
    trained = built(some(900), 20, {"encoder_width": 128, "projection_dim": 128, "predictor_dim": 32, "lr": 0.6})
    for _ in range(20):
        trained.fit_epoch()
    row = trained.evaluate(True)[0]
    assert row["metric.nmi"] > 0.6
    assert row["metric.collapsed"] == 0.0 and row["diagnostic.projection_std"] > 0.03
