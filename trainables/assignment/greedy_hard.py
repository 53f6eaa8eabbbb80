"""Greedy combination assignment of hard regularisation (paper 2303.16521) and its single-move descent."""

from __future__ import annotations

import heapq
import math

import numpy as np
import torch
from torch import Tensor

from trainables.assignment.hard_labels import Floats, HardProblem, Ints


def greedy_hard(
    cost: Tensor,
    start: Tensor | None = None,
    penalty: Tensor | None = None,
    prior: Tensor | None = None,
) -> Tensor:
    """Assign, B times, the globally cheapest free pair (i, k) of C[i,k] - ln pi_k + beta ln(n_k + 1).

    The algorithm of the paper, O(B K log B) instead of O(B^2 K): each cluster's points are sorted once, and a heap
    holds every cluster's cheapest free point. Members are taken in turn: on a CPU that is faster than any batched
    form. float64 throughout (differences of ln(n + 1) fall as 1/n). Ties: lowest point, then lowest cluster.

    Args:
        cost: (M, B, K) cost; NaN counts as +inf. B may be 0, and may be below K.
        start: (M, K) counts before the batch (the paper resets them to zero at every batch); None is zero.
        penalty: (M,) beta; None is 1, the paper's; 0 is the plain argmin.
        prior: (M, K) pi >= 0, any scale; None is uniform.

    Returns:
        Labels (M, B), int64, on the device of cost.

    Raises:
        ValueError: See HardProblem.
    """
    problem = HardProblem(cost, start, penalty, prior)
    members, points, _ = problem.cost.shape
    labels = np.empty((members, points), dtype=np.int64)
    for m in range(members):
        labels[m] = _greedy(problem.cost[m], problem.start[m].tolist(), float(problem.penalty[m]))
    return torch.from_numpy(labels).to(cost.device)


def _greedy(cost: Floats, counts: list[float], penalty: float) -> list[int]:
    points, classes = cost.shape
    labels = [-1] * points
    if points == 0:
        return labels
    order = np.argsort(cost, axis=0, kind="stable")
    values = np.take_along_axis(cost, order, 0).T.tolist()
    rows = order.T.tolist()
    extra = [penalty * math.log(count + 1) for count in counts]
    heads = [0] * classes
    heap = [(values[k][0] + extra[k], rows[k][0], k) for k in range(classes)]
    heapq.heapify(heap)
    left = points
    while left:
        _, row, k = heap[0]
        if labels[row] < 0:
            labels[row] = k
            left -= 1
            counts[k] += 1
            extra[k] = penalty * math.log(counts[k] + 1)
        # a key only ever grows, and only when its own head or count changes: a stale head is found here
        head, mine = heads[k] + 1, rows[k]
        while head < points and labels[mine[head]] >= 0:
            head += 1
        heads[k] = head
        if head < points:
            heapq.heapreplace(heap, (values[k][head] + extra[k], mine[head], k))
        else:
            heapq.heappop(heap)
    return labels


def descend(
    cost: Tensor,
    labels: Tensor,
    start: Tensor | None = None,
    penalty: Tensor | None = None,
    prior: Tensor | None = None,
    *,
    max_sweeps: int = 1,
) -> Tensor:
    """Sweep over the points in order, moving each to the cluster that lowers J most (iterated conditional modes).

    J never rises. A member stops early when a sweep moves nothing; then no single move can lower its J.

    Args:
        cost: (M, B, K), as for greedy_hard, and so are start, penalty and prior.
        labels: (M, B) int64 labels to begin from; not changed.
        start: See greedy_hard.
        penalty: See greedy_hard.
        prior: See greedy_hard.
        max_sweeps: Cap on sweeps.

    Returns:
        Labels (M, B), int64, on the device of cost.
    """
    problem = HardProblem(cost, start, penalty, prior)
    moved: Ints = labels.detach().cpu().numpy().copy()
    for m in range(len(moved)):
        counts = problem.start[m] + np.bincount(moved[m], minlength=cost.shape[2])
        for _ in range(max_sweeps):
            if not _sweep(problem.cost[m], moved[m], counts, float(problem.penalty[m])):
                break
    return torch.from_numpy(moved).to(cost.device)


def _sweep(cost: Floats, labels: Ints, counts: Floats, penalty: float) -> bool:
    """One sweep in place over labels and counts; says whether anything moved."""
    moved = False
    for row, old in enumerate(labels.tolist()):
        counts[old] -= 1
        price = cost[row] + penalty * np.log(counts + 1)
        new = int(price.argmin())
        if not price[new] < price[old] - 1e-12 * (1 + abs(price[old])):
            new = old
        labels[row] = new
        counts[new] += 1
        moved = moved or new != old
    return moved
