"""SeCu in two stages: which points each sees, what the second begins with, and that it scores the given data only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from orchestrator.knobs import configured
from trainables.data.dataset import Dataset
from trainables.datasets import digits
from trainables.methods.secu import SeCu, SeCuConfig
from trainables.methods.secu_two_stage import METHOD, SeCuTwoStage, everything

SMALL = {
    "encoder_width": 32,
    "head_width": 32,
    "output_dim": 16,
    "heads": 2,
    "batch_size": 32,
    "view": "affine",
    "temperature": 0.25,
    "centre_temperature": 0.7,
    "dual_lr": 0.8,
    "lr": 0.1,
    "centre_lr": 0.3,
    "output_norm": True,
    "warmup_epochs": 1,
}


def some(n: int = 90, n_unlabelled: int = 60) -> Dataset:
    whole = digits.load()
    rest = whole.inputs[n : n + n_unlabelled]
    return Dataset("part", whole.inputs[:n], whole.labels[:n], 10, unlabelled=rest if n_unlabelled else None)


def built(data: Dataset, n_epochs: int, **knobs: Any) -> SeCuTwoStage:
    config = configured(METHOD.Config, SMALL | knobs, n_epochs, "secu_two_stage")
    return METHOD([config], [3], data, torch.device("cpu"))


def test_the_first_stage_trains_on_unlabelled_points_too_and_the_second_on_the_train_part_alone() -> None:
    trained = built(some(), 4, first_share=0.5)
    assert len(trained.stage.inputs) == 150 and len(trained.stage.spans) == 2
    for _ in range(3):
        trained.fit_epoch()
    assert len(trained.stage.inputs) == 90 and len(trained.stage.spans) == 1


def test_the_second_stage_begins_with_encoder_centres_and_duals_of_the_first() -> None:
    trained = built(some(), 4, first_share=0.5)
    for _ in range(2):
        trained.fit_epoch()
    first = trained.stage
    head = first.spans[0]
    centres, rho = first.centres[:, head].detach().clone(), first.rho[:, head].clone()
    labels = first.evaluate(False)[0]["metric.nmi"]
    trained.begin_second_stage()
    assert torch.equal(trained.stage.centres, centres) and torch.equal(trained.stage.rho, rho)
    assert trained.stage.evaluate(False)[0]["metric.nmi"] == labels
    assert trained.stage.configs[0].lr == 2e-3


def test_without_unlabelled_points_the_first_stage_is_secu_itself() -> None:
    data = some(n_unlabelled=0)
    trained = built(data, 4, first_share=0.5)
    plain = SeCu([configured(SeCuConfig, SMALL, 2, "secu")], [3], data, torch.device("cpu"))
    for method in (trained, plain):
        method.fit_epoch()
        method.fit_epoch()
    assert trained.evaluate(True)[0] == plain.evaluate(True)[0]


def test_scores_are_those_of_the_given_data_under_both_protocols() -> None:
    whole = digits.load()
    data = replace(some(), test_inputs=whole.inputs[200:240], test_labels=whole.labels[200:240])
    for protocol, size in (("whole", 130), ("split", 40)):
        source = data.under(protocol)
        mixed = everything(source)
        assert torch.equal(mixed.eval_inputs, source.eval_inputs) and len(mixed.eval_labels) == size
        assert len(mixed.inputs) == len(source.inputs) + 60


def test_it_learns_on_images() -> None:
    trained = built(
        some(600, 300), 20, first_share=0.7, encoder_width=128, head_width=128, batch_size=64, second_lr=0.02
    )
    for _ in range(20):
        trained.fit_epoch()
    row = trained.evaluate(True)[0]
    assert row["metric.nmi"] > 0.6 and row["metric.collapsed"] == 0.0
