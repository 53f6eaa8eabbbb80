"""K-means on the sphere: monotone, invariant, against brute force, edge cases."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.assignment.spherical_kmeans import spherical_kmeans

quick = settings(max_examples=10, deadline=None)


def problem(seed, members=2, points=60, dimensions=5, clusters=4, restarts=2):
    generator = torch.Generator().manual_seed(seed)
    centres = 3 * torch.randn(members, clusters, dimensions, generator=generator, dtype=torch.float64)
    pick = torch.randint(0, clusters, (members, points), generator=generator)
    noise = torch.randn(members, points, dimensions, generator=generator, dtype=torch.float64)
    x = centres.gather(1, pick[..., None].expand(-1, -1, dimensions)) + noise
    return x, torch.rand(members, restarts, clusters, generator=generator)


def unit(x):
    return torch.nn.functional.normalize(x, dim=-1)


@quick
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 8))
def test_the_objective_never_gets_worse_with_more_steps(seed, points, clusters):
    x, uniforms = problem(seed, 1, points, 3, clusters, 1)
    caps = range(1, 8)
    cosines = [float(spherical_kmeans(x, uniforms, max_iterations=c, tolerance=0.0).objective) for c in caps]
    assert all(b >= a - 1e-9 for a, b in itertools.pairwise(cosines))


@quick
@given(st.integers(0, 10_000))
def test_at_convergence_the_objective_is_the_sum_of_resultant_lengths(seed):
    x, uniforms = problem(seed)
    found = spherical_kmeans(x, uniforms, tolerance=0.0)
    for m in range(2):
        member = torch.nn.functional.one_hot(found.labels[m], 4).double()
        resultants = member.T @ unit(x[m])
        assert float(found.objective[m]) == pytest.approx(float(resultants.norm(dim=1).sum()), rel=1e-12)
        occupied = member.sum(0) > 0
        torch.testing.assert_close(found.centres[m][occupied], unit(resultants)[occupied])
    torch.testing.assert_close(found.labels, (unit(x) @ found.centres.transpose(1, 2)).argmax(2))


@quick
@given(st.integers(0, 10_000))
def test_rotation_and_the_length_of_rows_change_nothing(seed):
    x, uniforms = problem(seed)
    rotation = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(seed)).double())[0]
    lengths = torch.rand(2, 60, 1, generator=torch.Generator().manual_seed(seed)) + 0.1
    plain, moved = (spherical_kmeans(y, uniforms) for y in (x, lengths * x @ rotation))
    # two restarts may find one partition under different numbers, and rounding decides between them
    together = [found.labels[:, :, None] == found.labels[:, None, :] for found in (plain, moved)]
    assert torch.equal(*together)
    torch.testing.assert_close(plain.objective, moved.objective)


@quick
@given(st.integers(0, 10_000))
def test_the_best_of_more_restarts_is_never_worse(seed):
    x, uniforms = problem(seed, restarts=3)
    cosines = torch.stack([spherical_kmeans(x, uniforms[:, :r]).objective for r in (1, 3)])
    assert (cosines.diff(dim=0) >= -1e-9).all()  # sums of equal partitions differ by rounding


def test_with_many_restarts_it_finds_the_brute_force_optimum():
    x, _ = problem(4, 1, 8, 2, 2)
    uniforms = torch.rand(1, 30, 2, generator=torch.Generator().manual_seed(0))
    best = max(
        float(sum(unit(x[0])[torch.tensor(side) == k].sum(0).norm() for k in (0, 1)))
        for side in itertools.product((0, 1), repeat=8)
    )
    assert float(spherical_kmeans(x, uniforms, tolerance=0.0).objective) == pytest.approx(best)


def test_seeds_follow_squared_distances():
    # from the first direction the others lie at squared distances 2, 2 and 4: shares 1/4, 1/4 and 1/2
    cross = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [-1.0, 0.0]]])
    seconds = [0.2, 0.3, 0.6]
    found = [spherical_kmeans(cross, torch.tensor([[[0.0, second]]]), max_iterations=1) for second in seconds]
    picked = [int((cross[0] @ one.centres[0, 1]).argmax()) for one in found]
    assert picked == [1, 2, 3]


def test_a_member_of_a_batch_equals_itself_alone_bit_for_bit_and_nan_stays_inside():
    x, uniforms = problem(5, 3, 101, 7, 4, 3)
    x = x.float()
    together = spherical_kmeans(x, uniforms)
    for m in range(3):
        one = slice(m, m + 1)
        alone = spherical_kmeans(x[one].clone(), uniforms[one])
        for name in ("labels", "centres", "objective", "iterations", "restart"):
            assert torch.equal(getattr(alone, name)[0], getattr(together, name)[m]), name
    x[1, 5, 2] = float("nan")
    spoilt = spherical_kmeans(x, uniforms)
    assert spoilt.objective[1].isnan() and spoilt.labels[1].eq(0).all() and spoilt.iterations[1] == 0
    assert torch.equal(spoilt.labels[[0, 2]], together.labels[[0, 2]])


def test_empty_clusters_are_reseeded_while_points_last():
    x = torch.nn.functional.normalize(torch.randn(1, 6, 3, generator=torch.Generator().manual_seed(1)), dim=2)
    same_seed = torch.zeros(1, 1, 6)
    found = spherical_kmeans(x, same_seed)
    assert sorted(found.labels[0].tolist()) == list(range(6))
    more = spherical_kmeans(x, torch.rand(1, 2, 9, generator=torch.Generator().manual_seed(2)))
    assert len(set(more.labels[0].tolist())) == 6 and more.centres.isfinite().all()


def test_zero_vectors_equal_points_and_one_cluster_are_defined():
    zeros = spherical_kmeans(torch.zeros(1, 5, 3), torch.rand(1, 2, 2))
    assert zeros.centres.isfinite().all() and float(zeros.objective) == 0.0
    mixed = torch.cat([torch.zeros(1, 1, 3), torch.eye(3)[None]], 1)
    assert spherical_kmeans(mixed, torch.rand(1, 1, 2)).centres.isfinite().all()
    assert spherical_kmeans(torch.ones(1, 4, 3), torch.rand(1, 1, 1)).labels.tolist() == [[0, 0, 0, 0]]


def test_nothing_to_cluster_is_refused_in_one_line():
    with pytest.raises(ValueError, match="at least one point"):
        spherical_kmeans(torch.zeros(1, 0, 3), torch.rand(1, 1, 2))
    with pytest.raises(ValueError, match="with one M"):
        spherical_kmeans(torch.zeros(2, 4, 3), torch.rand(1, 1, 2))
