"""Points on the principal axes of a dataset: fewer dimensions, the same for every trial."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from orchestrator.errors import RequestError
from trainables.data.dataset import Dataset

__all__ = ["principal_axes", "projected"]


def projected(dataset: Dataset, n_axes: int) -> Dataset:
    """Return `dataset` with its points, flattened, as coordinates on the first principal axes of its train part.

    The mean of the train part is subtracted first; afterwards all coordinates are divided by one number, so that those
    of the train part have the standard deviation 1 (nothing is whitened: long axes stay longer than short ones).

    Raises:
        RequestError: more axes than the points have dimensions, or than there are points.
    """
    points = dataset.inputs.flatten(1)
    most = min(points.shape)
    if not 1 <= n_axes <= most:
        raise RequestError(f"dataset {dataset.name}: pca = {n_axes}, allowed: 1 to {most}")
    mean = points.double().mean(0)
    axes = principal_axes(points.double() - mean, n_axes)
    scale = ((points.double() - mean) @ axes).std()
    scale = scale if scale > 0 else torch.ones_like(scale)

    def coordinates(part: Tensor | None) -> Tensor | None:
        return None if part is None else (((part.flatten(1).double() - mean) @ axes) / scale).float()

    found = coordinates(dataset.inputs)
    assert found is not None
    test, unlabelled = coordinates(dataset.test_inputs), coordinates(dataset.unlabelled)
    return replace(dataset, inputs=found, test_inputs=test, unlabelled=unlabelled, offset=None)


def principal_axes(centred: Tensor, n_axes: int) -> Tensor:
    """Return the directions (d, n_axes) along which centred points (N, d) vary most, the widest first.

    Of an axis and its opposite, that one is taken whose largest entry is positive, so that the axes do not hang on the
    library that found them.
    """
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    axes = vectors.flip(1)[:, :n_axes]
    largest = axes.abs().argmax(0, keepdim=True)
    signed: Tensor = axes * axes.gather(0, largest).sign()
    return signed
