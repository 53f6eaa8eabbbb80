"""Points on the principal axes of a dataset: fewer dimensions, the same for every trial."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from orchestrator.errors import RequestError
from trainables.data.dataset import Dataset
from trainables.threads import one_thread

__all__ = ["principal_axes", "projected"]

STEP = 2.0**-12
"""To what coordinates are rounded, as a share of their standard deviation."""


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
    with one_thread():
        mean = points.double().mean(0)
        axes = principal_axes(points.double() - mean, n_axes)
        scale = ((points.double() - mean) @ axes).std()
        axes = axes / torch.where(scale > 0, scale, torch.ones_like(scale))
        parts = {name: getattr(dataset, name) for name in ("inputs", "test_inputs", "unlabelled")}
        found = {name: _coordinates(part, mean, axes) for name, part in parts.items() if part is not None}
    test, unlabelled = found.get("test_inputs"), found.get("unlabelled")
    return replace(dataset, inputs=found["inputs"], test_inputs=test, unlabelled=unlabelled, offset=None)


def _coordinates(part: Tensor, mean: Tensor, axes: Tensor) -> Tensor:
    """Return the coordinates of points in steps of `STEP`, so that no library's last bits make another dataset."""
    found = (part.flatten(1).double() - mean) @ axes
    return ((found / STEP).round() * STEP).float()


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
