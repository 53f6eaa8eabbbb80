"""Greedy combination assignment of hard regularisation (paper 2303.16521) and its single-move descent."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence

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

    The algorithm of the paper in O(B K log B) instead of O(B^2 K): a heap holds every cluster's cheapest free
    point, and only the cheapest few points of a cluster are sorted, again whenever one has used its up. Members
    are taken in turn: on a CPU that is faster than any batched form. float64 throughout (differences of ln(n + 1)
    fall as 1/n). Ties: lowest point, then lowest cluster.

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
    """Label one member in stages; each sorts the cheapest few free points of every cluster and has a heap over them."""
    labels = [-1] * len(cost)
    extra = [penalty * math.log(count + 1) for count in counts]
    free: Ints = np.arange(len(cost))
    columns = np.ascontiguousarray(cost.T)
    while len(free):
        order, values = _cheapest(columns, _depth(*columns.shape))
        queues = [zip(v, r, strict=True) for v, r in zip(values.tolist(), free[order].tolist(), strict=True)]
        _stage(queues, labels, counts, extra, penalty)
        keep = np.fromiter((labels[row] < 0 for row in free.tolist()), dtype=bool, count=len(free))
        columns, free = columns[:, keep], free[keep]
    return labels


def _depth(classes: int, points: int) -> int:
    """Return how many points of each cluster to sort: six times a fair share, or all where that is little more."""
    depth = max(32, 6 * points // classes)
    return depth if 3 * depth < points else points


def _cheapest(columns: Floats, depth: int) -> tuple[Ints, Floats]:
    """Return indices and values (K, depth) of the smallest entries of rows of (K, n), by value, then index."""
    if depth < columns.shape[1]:
        chosen = np.argpartition(columns, depth - 1, axis=1)[:, :depth]
        chosen.sort(axis=1)
        values = np.take_along_axis(columns, chosen, 1)
        # a tie across the cut could leave out a lower index
        if np.count_nonzero(columns <= values.max(1, keepdims=True)) > chosen.size:
            return _cheapest(columns, columns.shape[1])
    else:
        chosen, values = np.broadcast_to(np.arange(columns.shape[1]), columns.shape), columns
    order = np.argsort(values, axis=1)
    ranked = np.take_along_axis(values, order, 1)
    if (ranked[:, 1:] == ranked[:, :-1]).any():  # the quick sort is four times faster, but not stable
        order = np.argsort(values, axis=1, kind="stable")
    return np.take_along_axis(chosen, order, 1), ranked


def _stage(
    queues: Sequence[Iterator[tuple[float, int]]],
    labels: list[int],
    counts: list[float],
    extra: list[float],
    penalty: float,
) -> None:
    """Assign in place until some cluster's queue of (cost, point) has no free point left."""
    heap = []
    for k, queue in enumerate(queues):
        value, row = next(queue)
        heap.append((value + extra[k], row, k))
    heapq.heapify(heap)
    while True:
        _, row, k = heap[0]
        if labels[row] < 0:
            labels[row] = k
            counts[k] += 1
            extra[k] = penalty * math.log(counts[k] + 1)
        # a key only ever grows, and only when its own head or count changes: a stale head is found here
        added = extra[k]
        for value, row in queues[k]:
            if labels[row] < 0:
                heapq.heapreplace(heap, (value + added, row, k))
                break
        else:
            return


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
    """Sweep once over labels and counts, in place; return whether anything moved."""
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
