"""The adversarial direction is that of most change, which for a linear softmax has a closed form."""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.losses.virtual_adversarial import adversarial_change, divergence


def draws(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_divergence_is_the_mean_kl_and_zero_for_equal_predictions() -> None:
    sigma, moved = draws(0, 2, 7, 3).softmax(2), draws(1, 2, 7, 3).softmax(2)
    expected = (sigma * (sigma / moved).log()).sum(2).mean(1)
    torch.testing.assert_close(divergence(sigma, moved), expected, rtol=1e-6, atol=1e-7)
    assert divergence(sigma, sigma).abs().max() < 1e-12


def test_a_small_probe_turns_towards_the_direction_of_most_change() -> None:
    """With K = 2 and a linear model the Hessian of the KL has rank one: one iteration finds its direction."""
    weight = draws(2, 1, 6, 2)
    x = draws(3, 1, 5, 6)

    def predict(points: Tensor) -> Tensor:
        return (points @ weight).softmax(2)

    found = adversarial_change(predict, x, predict(x), draws(4, 1, 5, 6), torch.tensor(1e-4, dtype=torch.float64))
    axis = weight[0, :, 0] - weight[0, :, 1]
    cosines = (found[0] @ (axis / axis.norm())).abs()
    torch.testing.assert_close(cosines, torch.ones(5, dtype=torch.float64), rtol=0, atol=1e-3)
    torch.testing.assert_close(found.norm(dim=2), torch.ones(1, 5, dtype=torch.float64))


def test_it_moves_predictions_more_than_random_directions_do() -> None:
    weight = draws(5, 1, 20, 4)
    x, noise = draws(6, 1, 30, 20), draws(7, 1, 30, 20)

    def predict(points: Tensor) -> Tensor:
        return (points @ weight).softmax(2)

    sigma = predict(x)
    adversarial = adversarial_change(predict, x, sigma, noise, torch.tensor(0.1, dtype=torch.float64))
    random = noise / noise.norm(dim=2, keepdim=True)
    assert float(divergence(sigma, predict(x + 0.3 * adversarial))) > 2 * float(
        divergence(sigma, predict(x + 0.3 * random))
    )


def test_a_model_that_nothing_moves_gives_no_direction_and_no_nan() -> None:
    x = draws(8, 1, 4, 3)
    flat = torch.full((1, 4, 2), 0.5, dtype=torch.float64)
    found = adversarial_change(lambda points: flat + 0.0 * points.sum(), x, flat, draws(9, 1, 4, 3), torch.tensor(1.0))
    assert not found.any()
