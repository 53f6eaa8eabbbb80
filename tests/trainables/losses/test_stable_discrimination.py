import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.losses.sphere import cluster_sums, unit
from trainables.losses.stable_discrimination import (
    centre_loss,
    hardness,
    hardness_weighted_sums,
    representation_loss,
)


def draws(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def problem(seed: int, k: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Unit points (1, 7, 3), unit centres (1, K, 3), labels (1, 7)."""
    labels = torch.randint(0, k, (1, 7), generator=torch.Generator().manual_seed(seed))
    return unit(draws(seed, 1, 7, 3)), unit(draws(seed + 1, 1, k, 3)), labels


def vector(value: float) -> torch.Tensor:
    return torch.tensor([value], dtype=torch.float64)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1_000), temperature=st.sampled_from([0.05, 0.2, 1.0]))
def test_centre_gradient_is_the_hardness_weighted_sum_of_own_points(seed: int, temperature: float) -> None:
    x, w, y = problem(seed)
    w.requires_grad_()
    (grad,) = torch.autograd.grad(centre_loss(x @ w.mT, y, vector(temperature)).sum(), w)
    p = ((x @ w.mT) / temperature).softmax(2)[0]
    expected = torch.zeros_like(w)
    for i in range(7):
        j = y[0, i]
        expected[0, j] -= (1 - p[i, j]) * x[0, i] / (temperature * 7)
    torch.testing.assert_close(grad, expected.detach())


def test_centre_gradient_equals_finite_differences_that_move_only_the_own_centre() -> None:
    x, w, y = problem(3)
    tau, step = 0.3, 1e-6
    live = w.clone().requires_grad_()
    (grad,) = torch.autograd.grad(centre_loss(x @ live.mT, y, vector(tau)).sum(), live)

    def loss(moved: torch.Tensor) -> float:
        logits = (x @ w.mT / tau)[0]  # negatives stay at the frozen centres
        own = (x @ moved.mT / tau)[0].gather(1, y[0, :, None])
        return float((logits.scatter(1, y[0, :, None], own).logsumexp(1) - own[:, 0]).mean())

    for j in range(4):
        for axis in range(3):
            up, down = w.clone(), w.clone()
            up[0, j, axis] += step
            down[0, j, axis] -= step
            assert grad[0, j, axis].item() == pytest.approx((loss(up) - loss(down)) / (2 * step), abs=1e-8)


def test_plain_cross_entropy_also_pushes_the_other_centres_and_has_the_same_value() -> None:
    x, w, y = problem(0)
    w.requires_grad_()
    stable, plain = centre_loss(x @ w.mT, y, vector(0.5)), centre_loss(x @ w.mT, y, vector(0.5), "cross_entropy")
    torch.testing.assert_close(stable, plain)
    oracle = torch.nn.functional.cross_entropy((x @ w.mT / 0.5)[0], y[0])
    torch.testing.assert_close(plain[0], oracle)
    (g_stable,) = torch.autograd.grad(stable.sum(), w)
    (g_plain,) = torch.autograd.grad(plain.sum(), w)
    unused = [j for j in range(4) if j not in y[0].tolist()]
    assert unused, "this seed leaves a centre without points"
    assert g_stable[0, unused].abs().max() == 0
    assert g_plain[0, unused].abs().min() > 0


def test_positives_pull_with_equal_weight() -> None:
    x, w, y = problem(0)
    w.requires_grad_()
    (grad,) = torch.autograd.grad(centre_loss(x @ w.mT, y, vector(0.5), "positives").sum(), w)
    torch.testing.assert_close(grad, -cluster_sums(x, y, 4) / (0.5 * 7))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1_000))
def test_at_a_high_temperature_theorem_1_gives_the_spherical_k_means_centre(seed: int) -> None:
    x, w, y = problem(seed)
    closed = hardness_weighted_sums(x, x @ w.mT, y, vector(1e6))
    torch.testing.assert_close(closed, 0.75 * cluster_sums(x, y, 4), rtol=1e-4, atol=1e-4)


def test_at_a_low_temperature_only_points_that_are_not_certain_count() -> None:
    x, w, _ = problem(1)
    y = (x @ w.mT).argmax(2)
    wrong = y.clone()
    wrong[0, 0] = (y[0, 0] + 1) % 4
    weights = hardness(x @ w.mT, wrong, vector(1e-3))
    assert weights[0, 0].item() == pytest.approx(1.0)
    assert weights[0, 1:].max() < 1e-6


def test_a_step_of_rate_one_on_the_surrogate_is_theorem_1s_closed_form() -> None:
    x, w, y = problem(2)
    scores = x @ w.mT
    sums = hardness_weighted_sums(x, scores, y, vector(0.2))
    mass = cluster_sums(torch.ones(1, 7, 1, dtype=torch.float64), y, 4, hardness(scores, y, vector(0.2)))
    filled = mass[0, :, 0] > 0
    gradient = w - sums / mass  # gradient of the surrogate, supplement 1.3
    torch.testing.assert_close(unit(w - gradient)[0, filled], unit(sums)[0, filled])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1_000), tau=st.sampled_from([0.0, 0.2, 1.0]))
def test_representation_loss_equals_cross_entropy_with_mixed_targets(seed: int, tau: float) -> None:
    x, w, y = problem(seed)
    other = unit(draws(seed + 2, 1, 7, 3))
    scores = (x @ w.mT, other @ w.mT)
    value = representation_loss(scores, y, vector(0.1), vector(tau))
    hard = torch.nn.functional.one_hot(y[0], 4).double()
    expected = 0.0
    for own, far in (scores, scores[::-1]):
        target = (1 - tau) * (far[0] / 0.1).softmax(1) + tau * hard
        expected += float(torch.nn.functional.cross_entropy(own[0] / 0.1, target)) / 2
    assert value.item() == pytest.approx(expected, rel=1e-9)


def test_the_soft_target_is_a_constant_for_the_gradient() -> None:
    x, w, y = problem(0)
    x.requires_grad_()
    same = x @ w.mT
    loss = representation_loss((same, same), y, vector(0.5), vector(0.0))
    (grad,) = torch.autograd.grad(loss.sum(), x)
    # the target equals the prediction: cross-entropy is stationary there only if the target is held
    torch.testing.assert_close(grad, torch.zeros_like(grad), atol=1e-12, rtol=0)


def test_equal_heads_give_the_loss_of_one_head() -> None:
    x, w, y = problem(0)
    scores = (x @ w.mT, x @ w.mT)
    one = representation_loss(scores, y, vector(0.1), vector(0.2))
    mean = sum(representation_loss(scores, y, vector(0.1), vector(0.2)) for _ in range(3)) / 3
    torch.testing.assert_close(mean, one)


def test_variances_of_positives_and_negatives_obey_proposition_2() -> None:
    # points of length one around cluster means of length a, the means' directions drawn evenly from the sphere
    k, a, repeats = 6, 0.8, 20_000
    means = a * unit(draws(0, repeats, k - 1, 3))
    negative = 1 - ((means.sum(1) / (k - 1)) ** 2).sum(1).mean().item()
    positive = 1 - a**2
    assert negative == pytest.approx(1 - a**2 / (k - 1), abs=3e-3)
    assert negative == pytest.approx(((k - 2) / ((k - 1) * positive) + 1 / (k - 1)) * positive, abs=3e-3)
