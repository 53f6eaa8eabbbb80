"""Greedy hard labels against the paper's definition of them."""

import math

import numpy as np
import pytest
import torch
from hard_problems import problem, shapes
from hypothesis import given, settings

from trainables.assignment.greedy_hard import greedy_hard
from trainables.assignment.hard_labels import hard_objective

quick = settings(max_examples=25, deadline=None)


def definition_of_greedy(cost, counts, penalty):
    """The paper's loop: at every step the best free pair of all; returns labels and the sum of step costs."""
    points, classes = cost.shape
    labels, total, counts = [-1] * points, 0.0, list(counts)
    for _ in range(points):
        value, i, k = min(
            (cost[i, k] + penalty * math.log(counts[k] + 1), i, k)
            for i in range(points)
            if labels[i] < 0
            for k in range(classes)
        )
        labels[i], total = k, total + value
        counts[k] += 1
    return labels, total


@quick
@given(shapes)
def test_no_point_of_greedy_would_have_been_cheaper_in_a_cluster_that_stayed_empty(shape):
    """A fresh cluster costs ln 1 = 0; so no more clusters fill than there are points."""
    cost = problem(*shape)[0]
    found = greedy_hard(cost)
    for table, labels in zip(cost, found, strict=True):
        filled = labels.unique()
        assert len(filled) <= min(table.shape)
        empty = [k for k in range(table.shape[1]) if k not in filled]
        for k in filled:
            own = (labels == k).nonzero()[:, 0]
            ranked = own[table[own, k].argsort()]
            prices = table[ranked, k] + torch.arange(1, len(own) + 1).log()
            assert (prices[:, None] <= table[ranked][:, empty] + 1e-9).all()


@quick
@given(shapes)
def test_greedy_takes_the_pairs_its_definition_takes_and_its_steps_sum_to_the_objective(shape):
    cost, start, penalty, prior = problem(*shape)
    found = greedy_hard(cost, start, penalty, prior)
    objective = hard_objective(cost, found, start, penalty, prior)
    for m in range(2):
        full = (cost[m] - prior[m].log()).numpy()
        labels, total = definition_of_greedy(full, start[m].tolist(), float(penalty[m]))
        assert found[m].tolist() == labels
        assert float(objective[m]) == pytest.approx(total, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("digits", [1, 2, 12])
@pytest.mark.parametrize(("points", "classes"), [(300, 2), (300, 12), (150, 60)])
def test_large_batches_and_ties_take_the_pairs_of_the_definition_too(points, classes, digits):
    cost = problem(points + digits, points, classes, 1.0)[0].round(decimals=digits)[:1]
    priced, counts, expected = cost[0].numpy().copy(), np.zeros(classes), np.zeros(points, dtype=int)
    for _ in range(points):  # argmin takes the lowest point, then the lowest cluster, as the tie rule says
        i, k = divmod(int(priced.argmin()), classes)
        expected[i] = k
        counts[k] += 1
        priced[:, k] = np.where(np.isinf(priced[:, k]), np.inf, cost[0, :, k] + math.log(counts[k] + 1))
        priced[i] = np.inf
    assert np.array_equal(greedy_hard(cost)[0].numpy(), expected)
