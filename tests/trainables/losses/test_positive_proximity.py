import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.losses.positive_proximity import positive_proximity, relative_noise, sampled_neighbours


def draws(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1_000))
def test_pip_is_the_squared_distance_of_unit_vectors_and_lies_in_zero_to_four(seed: int) -> None:
    predicted, target = draws(seed, 3, 6, 5), draws(seed + 1, 3, 6, 5)
    value = positive_proximity(predicted, target)
    p, t = (x / x.norm(dim=2, keepdim=True) for x in (predicted, target))
    torch.testing.assert_close(value, ((p - t) ** 2).sum(2).mean(1))
    assert ((value >= 0) & (value <= 4)).all()


def test_pip_is_zero_for_equal_directions_and_four_for_opposite_ones() -> None:
    points = draws(0, 1, 4, 3)
    assert positive_proximity(points, 7 * points).item() == pytest.approx(0.0, abs=1e-12)
    assert positive_proximity(points, -points).item() == pytest.approx(4.0, abs=1e-12)


def test_no_gradient_flows_into_the_target() -> None:
    predicted, target = draws(0, 1, 4, 3).requires_grad_(), draws(1, 1, 4, 3).requires_grad_()
    positive_proximity(predicted, target).sum().backward()
    assert predicted.grad is not None and predicted.grad.abs().sum() > 0
    assert target.grad is None


def test_without_noise_the_neighbours_are_the_points_themselves() -> None:
    z, eps = draws(0, 2, 4, 3), draws(1, 2, 4, 3)
    noise = torch.tensor([0.0, 0.5], dtype=torch.float64)
    neighbours = sampled_neighbours(z, eps, noise)
    assert torch.equal(neighbours[0], z[0])
    torch.testing.assert_close(neighbours[1], z[1] + 0.5 * eps[1])


@pytest.mark.parametrize(("noise", "expected"), [(0.001, 0.99987), (0.01, 0.9875), (0.1, 0.530), (1.0, 0.063)])
def test_relative_noise_explains_the_cosine_of_a_point_and_its_neighbour(noise: float, expected: float) -> None:
    z = draws(0, 1, 2_000, 256)
    z = z / z.norm(dim=2, keepdim=True)
    sigma = torch.tensor([noise], dtype=torch.float64)
    v = sampled_neighbours(z, draws(1, 1, 2_000, 256), sigma)
    cosine = torch.cosine_similarity(z, v, dim=2).mean().item()
    relative = relative_noise(z, sigma).item()
    assert relative == pytest.approx(noise * math.sqrt(256))
    assert cosine == pytest.approx(expected, abs=3e-3)
    assert cosine == pytest.approx(1 / math.sqrt(1 + relative**2), abs=3e-3)
