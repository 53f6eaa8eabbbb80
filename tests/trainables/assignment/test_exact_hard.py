"""Exact hard labels against brute force and scipy, beside greedy ones; what both keep to."""

import itertools

import numpy as np
import pytest
import torch
from hard_problems import problem, shapes
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from trainables.assignment.exact_hard import balanced_hard, exact_hard
from trainables.assignment.greedy_hard import descend, greedy_hard
from trainables.assignment.hard_labels import hard_objective, sizes, violated_moves

quick = settings(max_examples=25, deadline=None)


def slots_optimum(cost, start, penalty):
    """scipy's rectangular assignment with one slot for the m-th point of each cluster."""
    points = len(cost)
    growth = penalty * np.log(np.asarray(start)[:, None] + np.arange(1, points + 1))
    slots = (cost[:, :, None] + growth).reshape(points, -1)
    return slots[linear_sum_assignment(slots)].sum()


@quick
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 3), st.floats(0.05, 5.0))
def test_exact_equals_brute_force(seed, points, classes, scale):
    cost, start, penalty, prior = problem(seed, points, classes, scale)
    every = torch.tensor(list(itertools.product(range(classes), repeat=points)))
    found = hard_objective(cost, exact_hard(cost, start, penalty, prior), start, penalty, prior)
    for m in range(2):
        one = (cost[m : m + 1], start[m : m + 1], penalty[m : m + 1], prior[m : m + 1])
        best = min(float(hard_objective(one[0], y[None], *one[1:])) for y in every)
        assert float(found[m]) == pytest.approx(best, rel=1e-10, abs=1e-10)


@quick
@given(shapes)
def test_exact_equals_scipy_and_is_never_above_descent_nor_descent_above_greedy(shape):
    cost, start, penalty, prior = problem(*shape)
    rest = (start, penalty, prior)
    greedy = greedy_hard(cost, *rest)
    values = [
        hard_objective(cost, y, *rest)
        for y in (exact_hard(cost, *rest), descend(cost, greedy, *rest, max_sweeps=20), greedy)
    ]
    assert (values[0] <= values[1] + 1e-9).all() and (values[1] <= values[2] + 1e-9).all()
    for m in range(2):
        full = (cost[m] - prior[m].log()).numpy()
        optimum = slots_optimum(full, start[m], float(penalty[m]))
        assert float(values[0][m]) == pytest.approx(optimum, rel=1e-9, abs=1e-9)


@quick
@given(shapes)
def test_no_single_move_lowers_an_exact_or_a_descended_assignment(shape):
    cost, start, penalty, prior = problem(*shape)
    rest = (start, penalty, prior)
    exact, greedy = exact_hard(cost, *rest), greedy_hard(cost, *rest)
    assert violated_moves(cost, exact, *rest).tolist() == [0, 0]
    assert violated_moves(cost, descend(cost, greedy, *rest, max_sweeps=100), *rest).tolist() == [0, 0]


@pytest.mark.parametrize("solver", [greedy_hard, exact_hard])
@pytest.mark.parametrize(("points", "expected"), [(12, [3, 3, 3, 3]), (13, [4, 3, 3, 3])])
def test_a_flat_cost_gives_sizes_within_one(solver, points, expected):
    labels = solver(torch.zeros(1, points, 4))
    assert sorted(sizes(labels, 4)[0].tolist(), reverse=True) == expected


@quick
@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 6))
def test_for_identical_rows_greedy_is_exact_and_sizes_follow_a_common_multiplier(seed, points, classes):
    row = torch.randn(1, 1, classes, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    cost = row.expand(1, points, classes)
    greedy = greedy_hard(cost)
    gap = hard_objective(cost, greedy) - hard_objective(cost, exact_hard(cost))
    assert abs(float(gap)) < 1e-8
    counts = sizes(greedy, classes)[0].double()
    # n_k = floor(Z exp(-c_k)) for one Z: the largest Z any size needs lies below the first Z that any would outgrow
    needs, outgrows = (counts * row[0, 0].exp()).max(), ((counts + 1) * row[0, 0].exp()).min()
    assert needs <= outgrows * (1 + 1e-9)


@pytest.mark.parametrize("solver", [greedy_hard, exact_hard])
def test_large_costs_give_the_argmin_and_small_ones_balance(solver):
    cost = torch.randn(3, 40, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    assert torch.equal(solver(1e4 * cost), cost.argmin(2))
    assert (sizes(solver(1e-6 * cost), 5) == 8).all()
    assert torch.equal(solver(cost, penalty=torch.zeros(3)), cost.argmin(2))


def test_exact_ignores_a_constant_per_row_and_greedy_does_not():
    generator = torch.Generator().manual_seed(0)
    cost = torch.randn(1, 60, 5, generator=generator, dtype=torch.float64)
    shifted = cost + 3 * torch.randn(1, 60, 1, generator=generator, dtype=torch.float64)
    assert torch.equal(exact_hard(cost), exact_hard(shifted))
    assert not torch.equal(greedy_hard(cost), greedy_hard(shifted))
    assert torch.equal(greedy_hard(cost), greedy_hard(cost + 7.0))


@pytest.mark.parametrize("solver", [greedy_hard, exact_hard])
def test_permuting_points_or_clusters_permutes_the_labels(solver):
    cost = torch.randn(2, 30, 5, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    rows = torch.randperm(30, generator=torch.Generator().manual_seed(5))
    columns = torch.randperm(5, generator=torch.Generator().manual_seed(6))
    moved = solver(cost[:, rows][:, :, columns])
    assert torch.equal(columns[moved], solver(cost)[:, rows])


def test_the_scale_of_the_prior_changes_nothing_and_a_zero_prior_empties_its_cluster():
    cost, start, penalty, prior = problem(7, 20, 4, 1.0)
    for solver in (greedy_hard, exact_hard):
        assert torch.equal(solver(cost, start, penalty, prior), solver(cost, start, penalty, 9.0 * prior))
        assert int(sizes(solver(cost, prior=torch.tensor([[1.0, 0, 1, 1]] * 2)), 4)[:, 1].sum()) == 0


def test_exact_ties_go_to_the_lowest_point_then_the_lowest_cluster():
    cost = torch.tensor([[[1.0, 1.0, 1.0]] * 5])
    assert greedy_hard(cost).tolist() == [[0, 1, 2, 0, 1]]


@quick
@given(shapes)
def test_balanced_sizes_are_floor_or_one_more_and_no_balanced_labels_are_cheaper(shape):
    cost, _, _, _ = problem(*shape)
    points, classes = cost.shape[1:]
    labels = balanced_hard(cost)
    counts = sizes(labels, classes)
    assert set(counts.unique().tolist()) <= {points // classes, points // classes + 1}
    lower, extra = divmod(points, classes)
    for m in range(2):
        full = cost[m].numpy()
        slots = np.repeat(full, lower + (1 if extra else 0), axis=1)
        # the last slot of each cluster is optional, all others must be filled: make them worth it
        must = np.tile([1.0] * lower + [0.0] * bool(extra), classes)
        big = 10 * (np.ptp(full) + 1) * points
        taken = linear_sum_assignment(slots - big * must)
        assert float(cost[m].gather(1, labels[m][:, None]).sum()) == pytest.approx(slots[taken].sum())


def test_balanced_labels_follow_a_given_prior():
    cost = torch.randn(1, 20, 3, generator=torch.Generator().manual_seed(1))
    assert sizes(balanced_hard(cost, torch.tensor([[0.5, 0.3, 0.2]])), 3).tolist() == [[10, 6, 4]]
    with pytest.raises(ValueError, match="sum to 1"):
        balanced_hard(cost, torch.tensor([[0.5, 0.3, 0.9]]))


@pytest.mark.parametrize("solver", [greedy_hard, exact_hard, balanced_hard])
def test_empty_batches_one_cluster_and_fewer_points_than_clusters_are_defined(solver):
    assert solver(torch.zeros(2, 0, 3)).shape == (2, 0)
    assert solver(torch.randn(2, 4, 1)).tolist() == [[0] * 4] * 2
    few = solver(torch.rand(1, 3, 9, generator=torch.Generator().manual_seed(1)))
    assert few.shape == (1, 3) and int((sizes(few, 9) > 0).sum()) <= 3


@pytest.mark.parametrize("solver", [greedy_hard, exact_hard, balanced_hard])
def test_nan_rows_get_labels_and_leave_other_members_alone(solver):
    cost = torch.randn(3, 20, 4, generator=torch.Generator().manual_seed(9))
    clean = solver(cost)
    cost[1, 3:6] = float("nan")
    found = solver(cost)
    assert torch.equal(found[[0, 2]], clean[[0, 2]])
    assert ((found >= 0) & (found < 4)).all()


@pytest.mark.parametrize("solver", [greedy_hard, exact_hard])
def test_a_member_of_a_batch_equals_the_same_problem_alone(solver):
    cost, start, penalty, prior = problem(12, 24, 5, 1.0)
    together = solver(cost, start, penalty, prior)
    for m in range(2):
        one = slice(m, m + 1)
        assert torch.equal(solver(cost[one], start[one], penalty[one], prior[one])[0], together[m])
