"""IIC: passes of two heads, the sub-head that is scored, edges and pairs, and that it learns on images."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from orchestrator.knobs import configured
from trainables.data.dataset import Dataset
from trainables.datasets import digits
from trainables.methods.iic import METHOD, Iic

SMALL = {"encoder_width": 32, "batch_size": 64, "view": "affine", "sub_heads": 2, "overclustering": 3, "lr": 3e-3}


def built(n: int, n_epochs: int, **knobs: Any) -> Iic:
    whole = digits.load()
    data = Dataset("some digits", whole.inputs[:n], whole.labels[:n], 10)
    return METHOD([configured(METHOD.Config, SMALL | knobs, n_epochs, "iic")], [3], data, torch.device("cpu"))


def test_heads_have_their_clusters_side_by_side_and_the_main_one_starts_alike_without_the_other() -> None:
    both, alone = built(64, 1), built(64, 1, overclustering=0)
    assert both.parts["main"].out_features == 2 * 10
    assert both.parts["auxiliary"].out_features == 2 * 10 * 3
    assert set(alone.parts) == {"encoder", "main"}
    assert torch.equal(both.parts["main"].params[0], alone.parts["main"].params[0])


def test_an_epoch_is_a_pass_for_each_head_and_the_idle_head_stays() -> None:
    trained = built(130, 1)
    steps = len(trained.cuts)
    trained.fit_epoch()
    counts = (trained.optimiser.n_steps, trained.main_optimiser.n_steps, trained.auxiliary_optimiser.n_steps)
    assert counts == (2 * steps, steps, steps)
    trained.auxiliary = True
    before = trained.parts["main"].params[0].clone()
    trained.pass_over()
    assert torch.equal(before, trained.parts["main"].params[0])


def test_the_sub_head_with_the_least_loss_is_the_one_that_is_scored() -> None:
    trained = built(130, 1)
    trained.fit_epoch()
    outputs = trained.parts["main"](trained.parts["encoder"].embed(trained.inputs), False)
    for best in range(2):
        trained.scores = torch.zeros(1, 2)
        trained.scores[0, best] = -1.0
        assert torch.equal(trained.assigned(trained.inputs)[0], outputs[..., 10 * best : 10 * (best + 1)].argmax(2))
        assert trained.evaluate(False)[0]["diagnostic.sub_head"] == best


def test_edges_have_two_channels_and_pairs_are_views_of_their_own() -> None:
    trained = built(64, 1, edges=True, network="cnn", pairs=2)
    assert trained.parts["encoder"].params[0].shape[2] == 2
    assert len(trained.views) == 2
    trained.fit_epoch()
    assert trained.evaluate(True)[0]["metric.loss"] < 0


def test_it_learns_on_images() -> None:
    trained = built(900, 15, encoder_width=128, batch_size=128)
    for _ in range(15):
        trained.fit_epoch()
    row = trained.evaluate(True)[0]
    assert row["metric.nmi"] > 0.55
    assert row["metric.collapsed"] == 0.0
    assert row["metric.loss"] == pytest.approx(-2.0, abs=0.32)  # ln 10 is 2.30
