import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.losses.sphere import cluster_sums, nearest_centres, unit


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1_000), scale=st.floats(1e-6, 1e6))
def test_unit_vectors_have_length_one_and_ignore_scale(seed: int, scale: float) -> None:
    points = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    torch.testing.assert_close(unit(points).norm(dim=2), torch.ones(2, 5, dtype=torch.float64))
    torch.testing.assert_close(unit(points * scale), unit(points))


def test_a_zero_vector_stays_zero_and_its_gradient_stays_finite() -> None:
    points = torch.zeros(1, 2, 3, requires_grad=True)
    unit(points).sum().backward()
    assert torch.equal(unit(points), torch.zeros(1, 2, 3))
    assert points.grad is not None and points.grad.abs().max() <= 1.0


def test_cluster_sums_equal_a_loop_and_leave_out_minus_one() -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(3, 20, 4, generator=generator, dtype=torch.float64)
    labels = torch.randint(-1, 5, (3, 20), generator=generator)
    weights = torch.rand(3, 20, generator=generator, dtype=torch.float64)
    expected = torch.zeros(3, 5, 4, dtype=torch.float64)
    for member in range(3):
        for point, label, weight in zip(points[member], labels[member], weights[member], strict=True):
            if label >= 0:
                expected[member, label] += weight * point
    torch.testing.assert_close(cluster_sums(points, labels, 5, weights), expected)


def test_nearest_centres_have_the_largest_cosine_whatever_the_lengths() -> None:
    generator = torch.Generator().manual_seed(1)
    points, centres = torch.randn(2, 30, 5, generator=generator), torch.randn(2, 4, 5, generator=generator)
    found = nearest_centres(points, centres)
    cosines = torch.nn.functional.cosine_similarity(points.unsqueeze(2), centres.unsqueeze(1), dim=3)
    assert torch.equal(found, cosines.argmax(2))
    assert torch.equal(nearest_centres(3.0 * points, 0.1 * centres), found)
    assert torch.equal(nearest_centres(points[1:], centres[1:])[0], found[1])
