"""Partitions made up for tests of single metrics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from trainables.data.dataset import Dataset
from trainables.partitions.scored import Scored


@pytest.fixture(name="scored")
def made_up() -> Callable[..., Scored]:
    """Return a function that makes partitions of labels, or of random points with labels."""

    def make(
        hard: object, labels: object, n_clusters: int = 0, n_classes: int = 0, *, points: torch.Tensor | None = None
    ) -> Scored:
        clusters = np.atleast_2d(np.asarray(hard, dtype=np.int64))
        classes = np.asarray(labels, dtype=np.int64)
        k = n_clusters or int(clusters.max()) + 1
        c = n_classes or int(classes.max()) + 1
        data = None if points is None else Dataset("made up", points, torch.from_numpy(classes), c)
        return Scored(clusters, classes, k, c, data)

    return make
