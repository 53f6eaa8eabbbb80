"""MIGD is the Renyi loss of order 1 of entropy clustering, and its slope vanishes at a saturated collapse."""

from __future__ import annotations

import math

import pytest
import torch

from trainables.data.dataset import Dataset
from trainables.datasets import gaussians
from trainables.losses.soft_labels import predictions
from trainables.methods.entropy import EntropyClustering, EntropyConfig
from trainables.methods.mi_gradient_descent import MIGradientDescent, MIGradientDescentConfig

CPU = torch.device("cpu")


def test_it_is_entropy_clustering_without_pseudo_labels_at_order_one() -> None:
    torch.set_num_threads(1)
    whole = gaussians.load()
    data = Dataset("blobs", whole.inputs[:300].clone(), whole.labels[:300], 10)
    ours = MIGradientDescent([MIGradientDescentConfig(lr=1.0, batch_size=50, norm_weight=0.01)], [2], data, CPU)
    same = EntropyConfig(
        loss="renyi",
        renyi_order=1.0,
        fairness="entropy",
        fairness_weight=1.0,
        lr=1.0,
        batch_size=50,
        norm_weight=0.0,
        weight_decay=0.02,
    )
    other = EntropyClustering([same], [2], data, CPU)
    for _ in range(3):
        ours.fit_epoch()
        other.fit_epoch()
    left, right = ours.evaluate(True)[0], other.evaluate(True)[0]
    for name in ("metric.nmi", "metric.acc", "diagnostic.weight_norm", "diagnostic.mutual_information"):
        assert left[name] == pytest.approx(right[name], rel=1e-5)


def test_its_loss_is_at_least_minus_ln_k_and_its_slope_dies_at_collapse() -> None:
    data = Dataset("any", torch.ones(20, 4), torch.arange(20) % 10, 10)
    method = MIGradientDescent([MIGradientDescentConfig()], [0], data, CPU)
    hard = torch.eye(10).repeat(1, 2)[None] * 60.0
    best, _ = method.loss(predictions(hard), predictions(hard))
    assert float(best) == pytest.approx(-math.log(10), abs=1e-5)
    sizes = []
    for gap in (0.0, 8.0, 12.0):
        logits = torch.randn(1, 10, 200, generator=torch.Generator().manual_seed(0))
        logits[:, 0] += gap
        sizes.append(float(method.loss(predictions(logits), predictions(logits))[1].norm()))
    assert sizes[0] > 5 * sizes[1] > 50 * sizes[2]
