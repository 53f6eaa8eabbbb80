import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.losses.cluster_dispersion import cluster_centres, cluster_dispersion

HALF = torch.tensor([0.5], dtype=torch.float64)


def draws(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def labels_of(seed: int, n: int, n_clusters: int, members: int = 1) -> torch.Tensor:
    return torch.randint(0, n_clusters, (members, n), generator=torch.Generator().manual_seed(seed))


def by_loops(online: torch.Tensor, target: torch.Tensor, labels: torch.Tensor, tau: float) -> float:
    """CDR of one member as the formula reads, with no mask anywhere."""

    def centre(points: torch.Tensor, k: int) -> torch.Tensor:
        rows = points[labels == k]
        mean = (rows / rows.norm(dim=1, keepdim=True)).mean(0)
        return mean / mean.norm()

    present = sorted(set(labels.tolist()) - {-1})
    terms = []
    for k in present:
        up = math.exp(float(centre(online, k) @ centre(target, k)) / tau)
        down = sum(math.exp(float(centre(online, k) @ centre(online, j)) / tau) for j in present if j != k)
        terms.append(-math.log(up / (up + down)))
    return sum(terms) / len(terms)


def corners(n_clusters: int) -> torch.Tensor:
    """Unit corners of a regular simplex with K vertices, (1, K, K)."""
    points = torch.eye(n_clusters, dtype=torch.float64) - 1.0 / n_clusters
    return (points / points.norm(dim=1, keepdim=True)).unsqueeze(0)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1_000), n_clusters=st.integers(2, 6), tau=st.sampled_from([0.05, 0.5, 1.0]))
def test_cdr_equals_the_formula_written_as_loops_with_empty_clusters(seed: int, n_clusters: int, tau: float) -> None:
    online, target = draws(seed, 2, 8, 4), draws(seed + 1, 2, 8, 4)
    labels = labels_of(seed, 8, n_clusters, members=2)
    value = cluster_dispersion(online, target, labels, n_clusters + 3, torch.full((2,), tau, dtype=torch.float64))
    for member in range(2):
        expected = by_loops(online[member], target[member], labels[member], tau)
        assert value[member].item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("kind", "expected"), [("equal", 2.3026), ("orthogonal", 0.7966), ("simplex", 0.6807)])
def test_cdr_takes_its_closed_form_values_for_ten_clusters(kind: str, expected: float) -> None:
    points = {
        "equal": torch.ones(1, 10, 10, dtype=torch.float64),
        "orthogonal": torch.eye(10, dtype=torch.float64).unsqueeze(0),
        "simplex": corners(10),
    }[kind]
    value = cluster_dispersion(points, points, torch.arange(10).unsqueeze(0), 10, HALF)
    assert value.item() == pytest.approx(expected, abs=5e-5)


def test_no_arrangement_found_by_descent_beats_the_simplex() -> None:
    points = draws(0, 1, 4, 6).requires_grad_()
    labels, tau = torch.arange(4).unsqueeze(0), HALF
    for _ in range(300):
        loss = cluster_dispersion(points, points, labels, 4, tau)
        (grad,) = torch.autograd.grad(loss.sum(), points)
        points = (points - 0.5 * grad).detach().requires_grad_()
    simplex = math.log(math.exp(2.0) + 3 * math.exp(-2.0 / 3)) - 2.0
    assert loss.item() == pytest.approx(simplex, abs=1e-3)
    assert loss.item() >= simplex - 1e-9


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1_000), scale=st.floats(0.01, 100.0))
def test_cdr_ignores_names_of_clusters_lengths_and_a_common_rotation(seed: int, scale: float) -> None:
    online, target, labels = draws(seed, 1, 12, 5), draws(seed + 1, 1, 12, 5), labels_of(seed, 12, 4)
    value = cluster_dispersion(online, target, labels, 4, HALF)
    renamed = torch.randperm(4, generator=torch.Generator().manual_seed(seed))[labels]
    rotation = torch.linalg.qr(draws(seed + 2, 5, 5)).Q
    torch.testing.assert_close(cluster_dispersion(online, target, renamed, 4, HALF), value)
    torch.testing.assert_close(cluster_dispersion(scale * online, target, labels, 4, HALF), value)
    torch.testing.assert_close(cluster_dispersion(online @ rotation, target @ rotation, labels, 4, HALF), value)


def test_one_cluster_or_none_gives_zero_and_a_finite_gradient() -> None:
    online = draws(0, 2, 6, 3).requires_grad_()
    labels = torch.stack([torch.full((6,), 2), torch.full((6,), -1)])
    value = cluster_dispersion(online, draws(1, 2, 6, 3), labels, 4, HALF.expand(2))
    (grad,) = torch.autograd.grad(value.sum(), online)
    torch.testing.assert_close(value, torch.zeros(2, dtype=torch.float64), atol=1e-12, rtol=0)
    assert torch.isfinite(grad).all()


def test_one_member_with_nan_leaves_the_others_alone() -> None:
    online, target = draws(0, 2, 6, 3), draws(1, 2, 6, 3)
    labels = labels_of(0, 6, 3, members=2)
    clean = cluster_dispersion(online, target, labels, 3, HALF.expand(2))
    online[0] = torch.nan
    poisoned = cluster_dispersion(online, target, labels, 3, HALF.expand(2))
    assert poisoned[0].isnan() and torch.equal(poisoned[1], clean[1])


def test_gradient_equals_finite_differences_and_the_target_gets_none() -> None:
    online, target, labels = draws(0, 1, 8, 3).requires_grad_(), draws(1, 1, 8, 3).requires_grad_(), labels_of(0, 8, 3)
    assert torch.autograd.gradcheck(lambda z: cluster_dispersion(z, target.detach(), labels, 5, HALF), (online,))
    cluster_dispersion(online, target, labels, 5, HALF).sum().backward()
    assert target.grad is None


def test_queue_rows_equal_to_the_batch_leave_the_centres_where_they_are() -> None:
    points, labels = draws(0, 1, 8, 3), labels_of(0, 8, 3)
    alone, _ = cluster_centres(points, labels, 3)
    doubled, sizes = cluster_centres(torch.cat([points, points], 1), torch.cat([labels, labels], 1), 3)
    torch.testing.assert_close(alone, doubled)
    assert sizes.sum().item() == 16


def test_rows_without_a_label_count_nowhere() -> None:
    points, labels = draws(0, 1, 8, 3), labels_of(0, 8, 3)
    noise = torch.cat([points, 100 * draws(5, 1, 4, 3)], 1)
    marked = torch.cat([labels, torch.full((1, 4), -1)], 1)
    torch.testing.assert_close(
        cluster_dispersion(noise, noise, marked, 3, HALF), cluster_dispersion(points, points, labels, 3, HALF)
    )
