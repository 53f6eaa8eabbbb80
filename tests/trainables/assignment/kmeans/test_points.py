from __future__ import annotations

import pytest
import torch

from trainables.assignment.kmeans.points import CHUNK, DIRECTIONS, Points, nearest
from trainables.datasets import mnist_5k


def test_points_that_are_centred_are_not_copied_and_others_are_centred_without_losing_digits() -> None:
    rows = torch.randn(500, 3, generator=torch.Generator().manual_seed(0))
    rows -= rows.mean(0)
    assert Points.of(rows).rows.held.data_ptr() == rows.data_ptr()
    far = Points.of(rows.double() + 1e6)
    assert far.rows.held == pytest.approx(rows, abs=1e-6)
    assert far.mean == pytest.approx(torch.full((3,), 1e6))


def test_points_of_the_sphere_are_unit_vectors_and_a_zero_vector_stays() -> None:
    rows = torch.tensor([[3.0, 4.0], [0.0, 0.0], [-1e-9, 0.0]])
    expected = torch.tensor([[0.6, 0.8], [0.0, 0.0], [-1.0, 0.0]])
    assert Points.of(rows, spherical=True).rows.held == pytest.approx(expected, abs=1e-6)


def test_what_the_directions_leave_out_completes_the_squared_norms() -> None:
    ready = Points.of(mnist_5k.load().vectors)
    assert ready.projection is not None
    basis = ready.projection.directions
    assert basis.T @ basis == pytest.approx(torch.eye(DIRECTIONS), abs=1e-4)
    total = ready.projection.near.square().sum(1) + ready.projection.rest.square()
    assert total == pytest.approx(ready.squares, rel=1e-3)
    assert float(ready.projection.rest.square().mean() / ready.squares.mean()) < 0.2


@pytest.mark.parametrize("why", ["few dimensions", "few points", "no leading direction"])
def test_directions_that_would_tell_too_little_are_not_taken(why: str) -> None:
    shape = {"few dimensions": (5_000, 64), "few points": (500, 400), "no leading direction": (5_000, 400)}[why]
    rows = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    assert Points.of(rows).projection is None


@pytest.mark.parametrize("offset", [0.0, 1_000.0])
def test_the_nearest_centre_is_that_of_float64_far_from_the_origin_too(offset: float) -> None:
    draws = torch.Generator().manual_seed(0)
    rows = torch.randn(CHUNK + 7, 5, generator=draws) + offset
    centres = torch.randn(9, 5, generator=draws) + offset
    assert torch.equal(nearest(rows, centres), torch.cdist(rows.double(), centres.double()).argmin(1))


def test_the_variance_is_the_scale_of_scikit_learns_tolerance() -> None:
    rows = torch.randn(300, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 2.0, 3.0, 4.0])
    assert Points.of(rows + 5.0).variance == pytest.approx(float(rows.double().var(0, correction=0).mean()), rel=1e-5)
