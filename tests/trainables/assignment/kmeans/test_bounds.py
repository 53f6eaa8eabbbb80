"""Looking at few points gives what looking at all of them gives: scikit-learn's runs, and a slow oracle in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from torch import Tensor

from trainables.assignment.kmeans import bounds, points
from trainables.assignment.kmeans.bounds import Fitted, best_of
from trainables.assignment.kmeans.points import Points
from trainables.data.dataset import Dataset
from trainables.datasets import digits, mnist_5k


def heaps(n: int, d: int, k: int, seed: int, offset: float = 0.0) -> Tensor:
    draws = torch.Generator().manual_seed(seed)
    centres = 3.0 * torch.randn(k, d, generator=draws)
    return centres[torch.randint(k, (n,), generator=draws)] + torch.randn(n, d, generator=draws) + offset


def chosen(rows: Tensor, k: int, seed: int) -> Tensor:
    return rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))[:k]]


def plain(
    rows: Tensor, starts: Tensor, spherical: bool, cap: int = 300, tolerance: float = 0.0
) -> tuple[Tensor, float]:
    """Lloyd's algorithm as it is written down, in float64; no cluster may lose its points."""
    x = rows.double()
    x = torch.nn.functional.normalize(x, dim=1) if spherical else x
    centres, labels = starts.double(), torch.full((len(x),), -1)
    shift = tolerance * float(x.var(0, correction=0).mean())
    for _ in range(cap):
        before, labels = labels, (x[:, None] - centres).square().sum(2).argmin(1)
        if torch.equal(before, labels):
            break
        sums = torch.zeros_like(centres).index_add_(0, labels, x)
        counts = torch.bincount(labels, minlength=len(centres))[:, None]
        assert bool((counts > 0).all()), "an empty cluster is not this oracle's business"
        moved = torch.nn.functional.normalize(sums, dim=1) if spherical else sums / counts
        far = float((moved - centres).square().sum())
        centres = moved
        if far <= shift:
            labels = (x[:, None] - centres).square().sum(2).argmin(1)
            break
    return labels, float((x - centres[labels]).square().sum())


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(40, 200), d=st.integers(1, 12), k=st.integers(1, 6), seed=st.integers(0, 10_000),
    spherical=st.booleans(), offset=st.sampled_from([0.0, 1_000.0]),
)  # fmt: skip
def test_it_ends_where_the_algorithm_as_written_down_ends(
    n: int, d: int, k: int, seed: int, spherical: bool, offset: float
) -> None:
    rows = heaps(n, d, k, seed, 0.0 if spherical else offset)
    starts = chosen(torch.nn.functional.normalize(rows, dim=1) if spherical else rows, k, seed)
    found = best_of(Points.of(rows, spherical), starts[None], tolerance=0.0)
    if len(torch.bincount(found.labels, minlength=k).nonzero()) < k:
        return  # a cluster died on the way
    try:
        labels, inertia = plain(rows, starts, spherical)
    except AssertionError:
        return
    assert float((found.labels != labels).float().mean()) < 0.02  # ties within rounding
    assert found.inertia == pytest.approx(inertia, rel=1e-4, abs=1e-6)


def mnist() -> Dataset:
    return mnist_5k.load()


@pytest.mark.parametrize("load", [digits.load, mnist])
@pytest.mark.parametrize("tolerance", [1e-4, 1e-2])
def test_from_the_same_starts_it_takes_scikit_learns_way_and_stops_where_that_stops(load, tolerance: float) -> None:
    vectors = load().vectors
    ready = Points.of(vectors)
    for seed in range(3):
        starts = chosen(vectors, 10, seed)
        theirs = KMeans(10, init=starts.numpy(), n_init=1, tol=tolerance).fit(vectors.numpy())
        mine = best_of(ready, starts[None], tolerance=tolerance)
        assert mine.iterations == theirs.n_iter_
        assert mine.inertia == pytest.approx(theirs.inertia_, rel=1e-5)
        assert (mine.labels.numpy() == theirs.labels_).mean() > 0.995  # float64 sides with mine where they differ


def test_leading_directions_change_no_label(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = mnist().vectors
    starts = torch.stack([chosen(vectors, 10, seed) for seed in range(2)])
    with_them = Points.of(vectors)
    assert with_them.projection is not None
    monkeypatch.setattr(points, "FEWEST_DIMENSIONS", 10_000)
    without = Points.of(vectors)
    assert without.projection is None
    one, other = best_of(with_them, starts), best_of(without, starts)
    assert torch.equal(one.labels, other.labels) and one.iterations == other.iterations


def test_most_points_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = mnist().vectors
    seen: list[int] = []
    full = bounds.Run.in_full

    def counting(run: bounds.Run, places: Tensor) -> Tensor:
        seen.append(len(places))
        return full(run, places)

    monkeypatch.setattr(bounds.Run, "in_full", counting)
    found = best_of(Points.of(vectors), chosen(vectors, 10, 0)[None])
    assert sum(seen) < 0.15 * len(vectors) * found.iterations


def test_the_best_restart_is_kept_and_the_first_of_equal_ones() -> None:
    rows = heaps(150, 3, 5, 0)
    starts = torch.stack([chosen(rows, 5, seed) for seed in range(6)])
    ready = Points.of(rows)
    alone = [best_of(ready, one[None]) for one in starts]
    found = best_of(ready, starts)
    assert found.inertia == pytest.approx(min(one.inertia for one in alone), rel=1e-6)
    again = best_of(ready, torch.cat([starts, starts]))
    assert torch.equal(again.labels, found.labels)


def test_a_restarts_memory_limit_changes_how_many_go_together_only(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = heaps(150, 3, 5, 1)
    starts = torch.stack([chosen(rows, 5, seed) for seed in range(4)])
    together = best_of(Points.of(rows), starts)
    monkeypatch.setattr(points, "AT_ONCE", 1)
    assert best_of(Points.of(rows), starts).inertia == pytest.approx(together.inertia, rel=1e-6)


@pytest.mark.parametrize("spherical", [False, True])
def test_an_empty_cluster_gets_the_farthest_point(spherical: bool) -> None:
    rows = torch.cat([heaps(60, 2, 1, 3) + torch.tensor([5.0, 0.0]), torch.tensor([[1.0, 40.0]])])
    starts = torch.tensor([[5.0, 0.0], [-1e6, 0.0]])
    found = best_of(Points.of(rows, spherical), starts[None])
    assert torch.bincount(found.labels, minlength=2).min() > 0
    assert int((found.labels == found.labels[60]).sum()) < 61


def test_fewer_distinct_points_than_clusters_leave_clusters_empty_and_end() -> None:
    rows = torch.tensor([[0.0, 1.0], [2.0, 3.0]]).repeat_interleave(5, 0)
    found = best_of(Points.of(rows), chosen(rows, 4, 0)[None])
    assert found.inertia == pytest.approx(0.0, abs=1e-5) and len(found.labels.unique()) == 2


def test_spherical_centres_have_unit_length_and_the_length_of_a_point_does_not_matter() -> None:
    rows = heaps(200, 4, 3, 5)
    stretched = rows * torch.linspace(0.1, 9.0, 200)[:, None]
    starts = torch.nn.functional.normalize(chosen(rows, 3, 1), dim=1)[None]
    one, other = (best_of(Points.of(some, spherical=True), starts) for some in (rows, stretched))
    assert torch.linalg.vector_norm(one.centres, dim=1) == pytest.approx(torch.ones(3), abs=1e-6)
    assert torch.equal(one.labels, other.labels)


def test_the_iteration_limit_holds_and_the_labels_fit_the_last_centres() -> None:
    rows = heaps(300, 6, 8, 2)
    ready = Points.of(rows)
    for limit in (1, 2, 3):
        found: Fitted = best_of(ready, chosen(rows, 8, 0)[None], max_iterations=limit)
        assert found.iterations == limit
        assert torch.equal(found.labels, points.nearest(rows, found.centres))
        own = (rows.double() - found.centres.double()[found.labels]).square().sum()
        assert found.inertia == pytest.approx(float(own), rel=1e-6)


def test_the_same_call_gives_the_same_bits() -> None:
    rows = heaps(400, 7, 5, 9)
    starts = torch.stack([chosen(rows, 5, seed) for seed in range(3)])
    one, other = (best_of(Points.of(rows), starts) for _ in range(2))
    assert torch.equal(one.centres, other.centres) and one.inertia == other.inertia
    assert np.float64(one.inertia).tobytes() == np.float64(other.inertia).tobytes()
