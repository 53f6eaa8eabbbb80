from __future__ import annotations

import numpy as np
import torch

from trainables.data.dataset import Dataset
from trainables.partitions.scored import Scored


def test_sizes_do_not_depend_on_the_labels_that_their_table_counts() -> None:
    draws = np.random.default_rng(0)
    hard = draws.integers(4, size=(3, 50))
    found = [Scored(hard, draws.integers(6, size=50), 5, 6).sizes for _ in range(2)]
    assert (found[0] == found[1]).all()
    assert (found[0] == [np.bincount(row, minlength=5) for row in hard]).all()


def test_neighbour_pairs_are_counted_one_by_one() -> None:
    points = torch.randn(30, 2, generator=torch.Generator().manual_seed(0))
    data = Dataset("made up", points, torch.zeros(30, dtype=torch.int64), 1)
    hard = np.random.default_rng(1).integers(3, size=(2, 30))
    expected = np.zeros((2, 3, 3), dtype=np.int64)
    for member in range(2):
        for place, probe in enumerate(data.probes.tolist()):
            for neighbour in data.neighbours[place].tolist():
                expected[member, hard[member, probe], hard[member, neighbour]] += 1
    assert (Scored(hard, data.labels.numpy(), 3, 1, data).neighbour_pairs == expected).all()
