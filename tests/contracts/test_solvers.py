"""What every pseudo-label solver makes of odd sizes: no point, one point, one cluster, fewer points than clusters."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import fields

import pytest
import torch
from torch import Tensor

from trainables import assignment
from trainables.assignment.dense_newton import dense_newton
from trainables.assignment.em import em
from trainables.assignment.entropy_counts import entropy_counts
from trainables.assignment.exact_hard import balanced_hard, exact_hard
from trainables.assignment.greedy_hard import greedy_hard
from trainables.assignment.kmeans.bounds import best_of
from trainables.assignment.kmeans.points import Points
from trainables.assignment.mirror_descent import mirror_descent
from trainables.assignment.newton import newton
from trainables.assignment.sinkhorn import sinkhorn
from trainables.assignment.size_dual import size_dual
from trainables.assignment.spherical_kmeans import spherical_kmeans

MEMBERS = 2
SHARED = {"pseudo_labels", "hard_labels"}
"""Modules of what several solvers share; no solver themselves."""


def each(value: float) -> Tensor:
    return torch.full((MEMBERS,), value)


def scores(n: int, k: int) -> Tensor:
    return torch.rand(MEMBERS, n, k, generator=torch.Generator().manual_seed(0))


def points(n: int) -> Tensor:
    return torch.randn(MEMBERS, n, 3, generator=torch.Generator().manual_seed(0))


def lloyd(n: int, k: int) -> Tensor:
    """Labels of two members, each by restarts of its own."""
    if n == 0:
        raise ValueError("k-means needs at least one point")
    found = []
    for member in points(n):
        starts = member[torch.arange(k) % n]
        found.append(best_of(Points.of(member), torch.stack([starts, starts + 1.0])).labels)
    return torch.stack(found)


SOLVERS: dict[str, Callable[[int, int], object]] = {
    "em": lambda n, k: em(scores(n, k).softmax(2), each(100.0)),
    "newton": lambda n, k: newton(scores(n, k).softmax(2), each(100.0)),
    "newton, reverse": lambda n, k: newton(scores(n, k).softmax(2), each(100.0), fairness="reverse"),
    "dense_newton": lambda n, k: dense_newton(scores(n, k).softmax(2), each(100.0)),
    "mirror_descent": lambda n, k: mirror_descent(scores(n, k).softmax(2), each(100.0)),
    "greedy_hard": lambda n, k: greedy_hard(scores(n, k)),
    "exact_hard": lambda n, k: exact_hard(scores(n, k)),
    "exact_hard, balanced": lambda n, k: balanced_hard(scores(n, k)),
    "size_dual": lambda n, k: size_dual(scores(n, k), torch.zeros(MEMBERS, k), each(0.1), each(0.9 / k)),
    "entropy_counts": lambda n, k: entropy_counts(scores(n, k), torch.ones(MEMBERS, k), each(1.0)),
    "sinkhorn": lambda n, k: sinkhorn(scores(n, k), each(10.0)),
    "spherical_kmeans": lambda n, k: spherical_kmeans(points(n), scores(1, k)),
    "spherical_kmeans, zero vectors": lambda n, k: spherical_kmeans(points(n) * 0, scores(1, k)),
    "kmeans": lloyd,
}


def tensors(found: object) -> list[Tensor]:
    values = [found] if isinstance(found, Tensor) else [getattr(found, field.name) for field in fields(found)]  # type: ignore[arg-type]
    return [value for value in values if isinstance(value, Tensor)]


def test_every_solver_is_held_to_this() -> None:
    files = {info.name for info in pkgutil.iter_modules(assignment.__path__)}
    assert files - SHARED == {name.partition(",")[0] for name in SOLVERS}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("n", "k"), [(5, 1), (1, 1), (1, 7), (2, 5)])
def test_odd_sizes_have_finite_results_of_the_same_sizes(solver: str, n: int, k: int) -> None:
    found = tensors(SOLVERS[solver](n, k))
    assert any(value.shape[:2] == (MEMBERS, n) for value in found)
    assert all(bool(torch.isfinite(value.float()).all()) for value in found)
    for labels in found:
        if labels.shape == (MEMBERS, n) and labels.dtype == torch.int64:
            assert 0 <= int(labels.min()) <= int(labels.max()) < k


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_empty_batch_is_one_readable_line_or_no_labels(solver: str) -> None:
    try:
        found = SOLVERS[solver](0, 3)
    except ValueError as error:
        assert "\n" not in str(error) and "at least" in str(error)
    else:
        assert all(value.numel() == 0 for value in tensors(found))
