"""Labels that a dataset gives to its methods: a share of the true ones, with noise of several kinds.

Every draw comes from a fixed stream, so the same options always mean the same labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from trainables.data.dataset import Dataset
from trainables.data.derived.draws import generator_of

__all__ = ["NOISES", "shown"]


def shown(given: Tensor, dataset: Dataset, share: float) -> Tensor:
    """Return `given` (N,) with -1 for all but a share of each true class."""
    order = torch.randperm(len(given), generator=generator_of("labelled"))
    shown = torch.full_like(given, -1)
    for label in range(dataset.n_classes):
        members = order[dataset.labels[order] == label]
        members = members[: round(share * len(members))]
        shown[members] = given[members]
    return shown


def _uniform_noise(dataset: Dataset, share: float) -> Tensor:
    """Return labels each drawn anew from all classes with probability `share`: share * u + (1 - share) * y."""
    generator = generator_of("noise.uniform")
    flipped = torch.rand(len(dataset), generator=generator) < share
    drawn = torch.randint(dataset.n_classes, (len(dataset),), generator=generator)
    return torch.where(flipped, drawn, dataset.labels)


def _class_noise(dataset: Dataset, share: float) -> Tensor:
    """Return labels of which each becomes the next class with probability `share` (the last becomes the first)."""
    flipped = torch.rand(len(dataset), generator=generator_of("noise.class")) < share
    return torch.where(flipped, (dataset.labels + 1) % dataset.n_classes, dataset.labels)


def _instance_noise(dataset: Dataset, share: float) -> Tensor:
    """Return labels of which those of the `share` of points nearest to another class's mean are that class."""
    points, labels = dataset.vectors, dataset.labels
    means = torch.stack([points[labels == label].mean(0) for label in range(dataset.n_classes)])
    distances = torch.cdist(points, means).nan_to_num(torch.inf)  # a class without points attracts none
    own = distances.gather(1, labels[:, None])[:, 0]
    other, nearest = distances.scatter(1, labels[:, None], torch.inf).min(1)
    flipped = (other - own).argsort()[: round(share * len(labels))]
    noisy = labels.clone()
    noisy[flipped] = nearest[flipped]
    return noisy


NOISES: Mapping[str, Callable[[Dataset, float], Tensor]] = {
    "uniform": _uniform_noise,
    "class": _class_noise,
    "instance": _instance_noise,
}
"""Kind -> labels (N,) of a dataset of which a share is wrong."""
