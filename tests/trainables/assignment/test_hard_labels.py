"""The problem of hard labels: moves that would pay, and what is refused."""

import itertools

import pytest
import torch
from hard_problems import problem

from trainables.assignment.exact_hard import exact_hard
from trainables.assignment.greedy_hard import greedy_hard
from trainables.assignment.hard_labels import hard_objective, violated_moves


def test_violated_moves_counts_what_trying_every_move_counts():
    cost, start, penalty, prior = problem(3, 15, 4, 1.0)
    rest = (start, penalty, prior)
    labels = torch.randint(0, 4, (2, 15), generator=torch.Generator().manual_seed(1))
    before = hard_objective(cost, labels, *rest)
    tried = [0, 0]
    for m, i, k in itertools.product(range(2), range(15), range(4)):
        moved = labels.clone()
        moved[m, i] = k
        tried[m] += bool(hard_objective(cost, moved, *rest)[m] < before[m] - 1e-9)
    assert violated_moves(cost, labels, *rest).tolist() == tried and min(tried) > 0


def test_wrong_arguments_are_refused_in_one_line():
    with pytest.raises(ValueError, match=r"cost must be \(M, B, K\)"):
        greedy_hard(torch.zeros(3, 4))
    with pytest.raises(ValueError, match=r"penalty must be \(1,\) and not negative"):
        greedy_hard(torch.zeros(1, 3, 4), penalty=torch.tensor([-1.0]))
    with pytest.raises(ValueError, match=r"start must be \(1, 4\)"):
        exact_hard(torch.zeros(1, 3, 4), torch.zeros(4))
