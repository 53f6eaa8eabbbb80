"""A dataset's images as features of a frozen encoder: computed once, kept under a key of all that they follow from."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from orchestrator.errors import DataError, RequestError, UnknownNameError
from orchestrator.trial import Stage
from trainables.artifacts import made_once
from trainables.data.data_folder import data_folder
from trainables.data.dataset import Dataset
from trainables.encoders import ENCODERS, Encoder
from trainables.threads import one_thread

__all__ = ["artifact_key", "features"]

_LOG = logging.getLogger(__name__)

BATCH = 50
"""Images at once; always the same, since it can move last bits."""

PARTS = ("inputs", "test_inputs", "unlabelled")
"""What of a dataset is encoded."""

RECIPE = 1
"""Raised when scaling, pooling or what is kept changes: kept features of before are then left alone."""


def features(dataset: Dataset, encoder: str, side: int = 0, folder: Path | None = None) -> Dataset:
    """Return `dataset` with the features of its images as inputs, (N, d): of length one each, then centred and scaled.

    Features are divided by their length; then the mean of the train part is subtracted and all is divided by one
    number, so that entries of the train part have the standard deviation 1. Where the artifact is kept already, the
    encoder need not be there.

    Args:
        dataset: images with their `offset`.
        encoder: a name in `trainables.encoders.ENCODERS`.
        side: to which images are scaled first; 0: the encoder's own.
        folder: where artifacts are kept; None: `features` in the data folder.

    Raises:
        UnknownNameError: no such encoder.
        RequestError: the dataset has no images, or a side that an encoder cannot take.
        DataError: the encoder is absent; the line says how to bring it.
    """
    if encoder not in ENCODERS:
        raise UnknownNameError("encoder", encoder, ENCODERS)
    found = ENCODERS[encoder]
    side = side or found.side
    offset = dataset.offset
    if offset is None or not dataset.is_image or dataset.inputs.shape[1] not in (1, 3):
        raise RequestError(f"dataset {dataset.name}: encoder {encoder} takes grey or colour images with their offset")
    key = artifact_key(dataset.digest, found, side)
    kept = made_once(
        folder or data_folder() / "features",
        key,
        lambda: _computed(found, side, dataset, offset),
    )
    with one_thread():
        units = functional.normalize(kept["inputs"])
        mean = units.mean(0)
        scale = float((units - mean).std()) or 1.0  # equal images have no spread
        scaled = {name: (functional.normalize(part) - mean) / scale for name, part in kept.items()}
    stages = (*dataset.stages, Stage(name=f"features={encoder}", key=key))
    return replace(
        dataset,
        inputs=scaled["inputs"],
        test_inputs=scaled.get("test_inputs"),
        unlabelled=scaled.get("unlabelled"),
        offset=None,
        stages=stages,
    )


def artifact_key(dataset_digest: str, encoder: Encoder, side: int) -> str:
    """Return the key of features: content of the dataset, encoder with its weights, input size, recipe (20 digits)."""
    reads = {
        "recipe": RECIPE,
        "dataset": dataset_digest,
        "encoder": encoder.name,
        "weights": encoder.weights,
        "side": side,
    }
    return Stage.of("features", reads).key


def _computed(encoder: Encoder, side: int, dataset: Dataset, offset: Tensor) -> dict[str, Tensor]:
    """Return the raw features of all images; on a GPU where there is one."""
    network, encode = encoder.load()
    images = len(dataset) + (0 if dataset.test_inputs is None else len(dataset.test_inputs))
    _LOG.warning("features of %d images by %s at side %d are computed, once", images, encoder.name, side)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean = torch.tensor(encoder.mean, device=device).view(1, 3, 1, 1)
    std = torch.tensor(encoder.std, device=device).view(1, 3, 1, 1)

    def encoded(part: Tensor) -> Tensor:
        """Return features of some images of one or three colours, from which their offset was subtracted."""
        pixels = (part + offset).to(device).expand(-1, 3, -1, -1)
        scaled = functional.interpolate(pixels, (side, side), mode="bicubic", antialias=True).clamp_(0.0, 1.0)
        found = encode(((scaled - mean) / std).contiguous(memory_format=torch.channels_last)).float().cpu()
        if found.shape[1:] != (encoder.width,) or not bool(torch.isfinite(found).all()):
            raise DataError(f"encoder {encoder.name} at side {side}: no {encoder.width} finite features an image")
        return found

    kept = {}
    with torch.no_grad():
        for name in PARTS:
            part = getattr(dataset, name)
            if part is not None:
                kept[name] = torch.cat(list(map(encoded, torch.split(part, BATCH))))
    return kept
