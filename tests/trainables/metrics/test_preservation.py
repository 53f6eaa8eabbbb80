from __future__ import annotations

import numpy as np
import torch

from trainables.metrics import preservation

POINTS = torch.arange(22.0)[:, None] + 1000.0 * (torch.arange(22)[:, None] >= 11)


def test_it_counts_neighbours_in_the_cluster_of_their_point(scored) -> None:
    two = np.arange(22) // 11
    assert list(preservation.compute(scored([two, two * 0], two, 2, points=POINTS))) == [1.0, 1.0]
    alternating = np.arange(22) % 2  # of eleven in a heap six have five fellows, five have four
    expected = (6 * 5 + 5 * 4 + 5 * 4 + 6 * 5) / 220
    assert list(preservation.compute(scored(alternating, two, points=POINTS))) == [expected]
