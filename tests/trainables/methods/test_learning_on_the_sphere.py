"""SeCu and PIPCDR learn on real images, with settings for small data (minutes; the papers' own are the defaults)."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

from orchestrator import discovery
from orchestrator.knobs import configured
from trainables.datasets import digits
from trainables.method import Row

SEEDS = tuple(range(10))

SMALL_DATA: dict[str, dict[str, Any]] = {
    "secu": {
        "network": "mlp",
        "encoder_width": 128,
        "head_width": 128,
        "output_dim": 64,
        "output_norm": True,
        "view": "affine",
        "batch_size": 64,
        "heads": 3,
        "temperature": 0.25,
        "centre_temperature": 0.7,
        "dual_lr": 0.8,
        "lr": 0.1,
        "centre_lr": 0.3,
        "warmup_epochs": 3,
        "weight_decay": 5e-3,
    },
    "pipcdr": {
        "network": "mlp",
        "encoder_width": 128,
        "head_width": 128,
        "output_dim": 64,
        "view": "affine",
        "batch_size": 128,
        "ema": 0.95,
        "lr": 0.2,
        "cdr_weight": 0.3,
        "kmeans_restarts": 3,
        "weight_decay": 5e-3,
    },
}


def last_rows(name: str, n_epochs: int, **knobs: Any) -> list[Row]:
    torch.set_num_threads(1)
    method = discovery.method(name)
    config = configured(method.Config, SMALL_DATA[name] | knobs, n_epochs, name)
    trained = method([config] * len(SEEDS), SEEDS, digits.load(), torch.device("cpu"))
    for _ in range(n_epochs):
        trained.fit_epoch()
    return list(trained.evaluate(True))


def lower_end(differences: list[float]) -> float:
    """Lower end of the 95 % interval of the mean of paired differences (Student)."""
    return float(stats.ttest_1samp(differences, 0.0).confidence_interval(0.95).low)


def kmeans_nmi(seed: int) -> float:
    data = digits.load()
    labels = KMeans(10, n_init=10, random_state=seed).fit_predict(data.vectors.numpy())
    return float(normalized_mutual_info_score(data.labels, labels))


@pytest.mark.slow
def test_secu_is_above_k_means_on_digits() -> None:
    rows = last_rows("secu", 60)
    assert not any(row["metric.collapsed"] for row in rows)
    assert lower_end([row["metric.nmi"] - kmeans_nmi(seed) for row, seed in zip(rows, SEEDS, strict=True)]) > 0


@pytest.mark.slow
def test_pipcdr_is_above_its_own_byol_arm_on_digits() -> None:
    both, byol = last_rows("pipcdr", 60), last_rows("pipcdr", 60, terms="byol")
    assert not any(row["metric.collapsed"] for row in both)
    assert lower_end([one["metric.nmi"] - other["metric.nmi"] for one, other in zip(both, byol, strict=True)]) > 0


@pytest.mark.parametrize("name", ["secu", "pipcdr"])
def test_the_settings_for_small_data_are_inside_every_domain(name: str) -> None:
    config = configured(discovery.method(name).Config, SMALL_DATA[name], 1, name)
    assert all(getattr(config, knob) == value for knob, value in SMALL_DATA[name].items())
    assert np.isfinite(config.lr)
