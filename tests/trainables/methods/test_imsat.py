"""IMSAT: reach and forms of its perturbation, statistics that it leaves alone, and that it learns on images."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from orchestrator.knobs import configured
from trainables.data.dataset import Dataset
from trainables.datasets import digits
from trainables.methods.imsat import METHOD, Imsat

SMALL = {"encoder_width": 32, "batch_size": 64}


def built(n: int, n_epochs: int, **knobs: Any) -> Imsat:
    whole = digits.load()
    data = Dataset("some digits", whole.inputs[:n], whole.labels[:n], 10)
    return METHOD([configured(METHOD.Config, SMALL | knobs, n_epochs, "imsat")], [3], data, torch.device("cpu"))


def test_a_points_reach_is_the_distance_to_its_tenth_neighbour() -> None:
    trained = built(80, 1)
    x = trained.data.vectors
    expected = torch.cdist(x, x).sort(1).values[:, 10]
    torch.testing.assert_close(trained.reach, expected, rtol=1e-4, atol=1e-5)
    assert float(built(80, 1, perturbation="view", view="shift").reach.sum()) == 0.0


def test_running_statistics_take_in_the_points_once_a_step_and_no_changed_ones() -> None:
    trained, plain = built(60, 1), built(60, 1)
    trained.fit_epoch()
    network = plain.parts["network"]
    rows = plain.order.permutation(60)
    network(plain.inputs[rows])
    for one, other in zip(trained.parts["network"].buffers, network.buffers, strict=True):
        torch.testing.assert_close(one, other)


def test_its_last_layer_begins_near_zero_so_first_predictions_are_even() -> None:
    trained = built(60, 1)
    sigma = trained.parts["network"].embed(trained.inputs).softmax(2)
    assert float((sigma - 0.1).abs().max()) < 1e-3


@pytest.mark.parametrize(("form", "least"), [("adversarial", 0.55), ("random", 0.5)])
def test_it_learns_on_images_under_adversarial_and_under_random_changes(form: str, least: float) -> None:
    trained = built(900, 25, encoder_width=128, perturbation=form, lr=4e-3)
    for _ in range(25):
        trained.fit_epoch()
    row = trained.evaluate(True)[0]
    assert row["metric.nmi"] > least
    assert row["metric.collapsed"] == 0.0


def test_a_view_may_stand_in_for_the_change() -> None:
    trained = built(200, 2, perturbation="view", view="shift")
    trained.fit_epoch()
    first = trained.evaluate(False)[0]["metric.loss"]
    trained.fit_epoch()
    assert len(trained.views) == 1 and trained.evaluate(False)[0]["metric.loss"] < first


def test_without_its_spread_term_it_collapses_and_is_recorded_so() -> None:
    trained = built(300, 10, spread_weight=0.1, information_weight=10.0)
    for _ in range(10):
        trained.fit_epoch()
    assert trained.evaluate(True)[0]["metric.collapsed"] == 1.0
