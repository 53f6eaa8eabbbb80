"""Points are seen alike whether they are held as a copy or made ready where they are looked at."""

from __future__ import annotations

import pytest
import torch

from trainables.assignment.kmeans import rows
from trainables.assignment.kmeans.bounds import best_of
from trainables.assignment.kmeans.points import Points
from trainables.assignment.kmeans.rows import Rows, block_by_block, centred, of_length_one
from trainables.assignment.kmeans.starts import starts_of


def cloud(n: int, d: int) -> torch.Tensor:
    draws = torch.Generator().manual_seed(n)
    far = 9.0 * torch.randn(5, d, generator=draws)[torch.randint(5, (n,), generator=draws)]
    return far + torch.randn(n, d, generator=draws) + 20.0


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have few points count as many."""
    monkeypatch.setattr(rows, "COPIED", 100)
    monkeypatch.setattr(rows, "BLOCK", 700)


@pytest.mark.parametrize("n", [1, 2, 101, 200])
def test_blocks_hold_every_point_once_and_none_is_a_point_alone(many: None, n: int) -> None:
    parts = block_by_block(Rows(cloud(n, 7)))
    assert torch.cat([torch.arange(n)[part] for part in parts]).tolist() == list(range(n))
    assert n == 1 or min(len(torch.arange(n)[part]) for part in parts) > 1


@pytest.mark.parametrize("made", [lambda points: centred(points, points.mean(0)), of_length_one])
def test_many_points_stay_where_they_are_and_look_as_their_copy_would(
    made, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    points, places = cloud(300, 7), torch.tensor([[7, 3], [7, 299]])
    seen = made(points)
    assert seen.held.data_ptr() == points.data_ptr()
    monkeypatch.setattr(rows, "COPIED", 1 << 20)
    copied = made(points)
    assert copied.held.data_ptr() != points.data_ptr()
    assert torch.equal(seen.block(slice(None)), copied.held)
    assert torch.equal(seen.block(slice(5, 90)), copied.block(slice(5, 90)))
    assert torch.equal(seen.at(places), copied.held[places])
    squares = seen.each(lambda block, _: block.square().sum(1))
    assert torch.equal(squares, copied.each(lambda block, _: block.square().sum(1)))


@pytest.mark.parametrize("spherical", [False, True])
@pytest.mark.parametrize("d", [6, 256])
def test_k_means_of_many_points_ends_where_that_of_a_copy_does(
    spherical: bool, d: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    points, fitted = cloud(5_000, d), []
    for copied in (1 << 24, 100):
        monkeypatch.setattr(rows, "COPIED", copied)
        ready = Points.of(points, spherical)
        starts = starts_of("k-means++", ready, 6, 3, torch.Generator().manual_seed(1))
        fitted.append((ready, best_of(ready, starts)))
    (few, one), (many, other) = fitted
    assert many.rows.held.data_ptr() == points.data_ptr() and few.rows.held.data_ptr() != points.data_ptr()
    assert torch.equal(one.labels, other.labels) and one.iterations == other.iterations
    torch.testing.assert_close(one.centres, other.centres)
    assert many.variance == pytest.approx(few.variance, rel=1e-5)
    assert other.inertia == pytest.approx(one.inertia, rel=1e-5)
