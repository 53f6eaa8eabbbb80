"""The imbalance levels are those of the paper's code."""

from __future__ import annotations

import pytest

from trainables.data.derived.imbalance import imbalance_shares


@pytest.mark.parametrize("n_classes", [1, 2, 7, 10, 200])
@pytest.mark.parametrize("level", [1, 2, 3])
def test_no_class_vanishes_and_none_is_larger_than_the_one_before(level: int, n_classes: int) -> None:
    shares = imbalance_shares(level, n_classes)
    assert len(shares) == n_classes and float(shares.max()) == 1.0 and float(shares.min()) > 0.0
    assert bool((shares.diff() <= 0).all())
