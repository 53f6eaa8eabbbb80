"""CC: what its loss is made of, that both heads are trained, and that it learns on images."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from orchestrator.knobs import configured
from trainables.data.dataset import Dataset
from trainables.datasets import digits
from trainables.methods.contrastive_clustering import METHOD, ContrastiveClustering

SMALL = {"encoder_width": 32, "projection_dim": 16, "batch_size": 64, "view": "affine"}


def some(n: int) -> Dataset:
    whole = digits.load()
    return Dataset("some digits", whole.inputs[:n], whole.labels[:n], 10)


def built(n: int, n_epochs: int, **knobs: Any) -> ContrastiveClustering:
    config = configured(METHOD.Config, SMALL | knobs, n_epochs, "contrastive_clustering")
    return METHOD([config], [3], some(n), torch.device("cpu"))


def test_the_loss_is_the_sum_of_its_three_terms() -> None:
    trained = built(130, 1)
    trained.fit_epoch()
    row = trained.evaluate(True)[0]
    terms = [row[f"diagnostic.{name}"] for name in ("instance_loss", "cluster_loss", "fairness")]
    assert row["metric.loss"] == pytest.approx(sum(terms), rel=1e-5)
    assert min(terms) >= 0


def test_both_heads_and_the_encoder_are_trained() -> None:
    trained = built(130, 1)
    before = {name: part.params[0].clone() for name, part in trained.parts.items()}
    trained.fit_epoch()
    assert all(not torch.equal(before[name], part.params[0]) for name, part in trained.parts.items())


def test_it_learns_on_images() -> None:
    trained = built(600, 12, encoder_width=128, projection_dim=64, lr=3e-3)
    start = trained.evaluate(False)[0]["metric.nmi"]
    for _ in range(12):
        trained.fit_epoch()
    row = trained.evaluate(True)[0]
    assert row["metric.nmi"] > max(0.6, start + 0.15)
    assert row["metric.collapsed"] == 0.0
