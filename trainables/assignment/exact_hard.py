"""Exact hard assignment with convex cluster costs, by shortest paths: combination assignment and balanced sizes."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor

from trainables.assignment.hard_labels import Floats, HardProblem, Ints


def exact_hard(
    cost: Tensor,
    start: Tensor | None = None,
    penalty: Tensor | None = None,
    prior: Tensor | None = None,
) -> Tensor:
    """Minimise J(y) = sum_i C[i,y_i] - ln pi_{y_i} + beta sum_k ln n_k! exactly (paper 2303.16521's problem).

    Successive shortest paths (own): the points come in one by one, and each enters along the cheapest chain
    "point -> cluster a, some point of a -> cluster b, ..., one more in cluster z". The chain lives on K nodes:
    the arc a -> b costs the cheapest move of a point of a to b, and entering z for good costs
    beta ln(n_z + 1), which never falls as z grows, so each step keeps the assignment optimal. O(B (K^2 + B))
    numpy operations with small constants, against O((K B)^3) of a rectangular assignment problem.

    Args:
        cost: (M, B, K) cost; NaN and inf count as a finite cost above all others. B may be 0.
        start: (M, K) counts before the batch; None is zero.
        penalty: (M,) beta >= 0; None is 1.
        prior: (M, K) pi >= 0, any scale; None is uniform.

    Returns:
        Labels (M, B), int64, on the device of cost.

    Raises:
        ValueError: See HardProblem.
    """
    problem = HardProblem(cost, start, penalty, prior)
    labels = [_flow(problem.cost[m], problem.marginals(m)) for m in range(len(problem.cost))]
    return _stack(labels, cost)


def balanced_hard(cost: Tensor, prior: Tensor | None = None) -> Tensor:
    """Return the cheapest labels whose cluster sizes are floor(B u_k) or one more: hard transport, exact.

    With cost = -ln sigma this is the y-step of self-labelling (SeLa) without its entropic smoothing, and the
    `hard transport` arm of entropy clustering's fairness forms.

    Args:
        cost: (M, B, K) cost; NaN and inf count as a finite cost above all others.
        prior: (M, K) target shares u, rows on the simplex; None is 1/K.

    Returns:
        Labels (M, B), int64, on the device of cost.

    Raises:
        ValueError: A shape does not fit, or prior rows do not sum to 1.
    """
    problem = HardProblem(cost)
    members, points, classes = problem.cost.shape
    shares = np.full((members, classes), 1 / classes) if prior is None else prior.detach().cpu().double().numpy()
    if shares.shape != (members, classes) or np.abs(shares.sum(1) - 1).max(initial=0) > 1e-5:
        raise ValueError(f"prior must be {(members, classes)} with rows that sum to 1; got shape {shares.shape}")
    labels = []
    for m in range(members):
        lower = np.floor(points * shares[m] + 1e-6)
        wanted = np.arange(points) < lower[:, None]
        allowed = np.arange(points) < lower[:, None] + 1
        labels.append(_flow(problem.cost[m], np.where(wanted, -1.0, np.where(allowed, 0.0, 1.0)), bounds=True))
    return _stack(labels, cost)


def _stack(labels: list[Ints], cost: Tensor) -> Tensor:
    rows = np.stack(labels) if labels else np.empty(cost.shape[:2], dtype=np.int64)
    return torch.from_numpy(rows).to(cost.device)


def _flow(cost: Floats, marginals: Floats, bounds: bool = False) -> Ints:
    """Return labels (B,) of least cost (B, K) plus marginals[k, m], non-decreasing, for the m-th point of cluster k.

    With bounds, marginals are levels (-1 wanted, 0 allowed, 1 refused) worth more than any chain can save.
    """
    points, classes = cost.shape
    finite = cost[np.isfinite(cost)]
    span = float(np.ptp(finite)) if finite.size else 0.0
    reach = 2.0 * (classes + 1) * (span + float(np.ptp(marginals)) + 1.0) if points else 0.0
    if bounds:
        marginals = marginals * reach
    top = float(finite.max()) if finite.size else 0.0
    cost = np.where(np.isfinite(cost), cost, top + reach)
    state = _Clusters(cost, 1e-12 * (1.0 + reach))
    ends = np.append(marginals, np.full((classes, 1), np.inf), axis=1) if points else marginals
    for row in range(points):
        state.enter(row, ends[np.arange(classes), state.counts])
    return state.labels


class _Clusters:
    """Clusters as nodes: who is in, and the cheapest move between any two."""

    def __init__(self, cost: Floats, slack: float) -> None:
        points, classes = cost.shape
        self.cost = cost
        self.slack = slack
        self.labels: Ints = np.full(points, -1, dtype=np.int64)
        self.counts: Ints = np.zeros(classes, dtype=np.int64)
        self.members: list[list[int]] = [[] for _ in range(classes)]
        self.arcs = np.full((classes, classes), np.inf)
        self.movers = np.zeros((classes, classes), dtype=np.int64)

    def enter(self, row: int, end: Floats) -> None:
        """Take a point in along the cheapest chain; end (K,) is the price of one more in each cluster."""
        reached, via = self._distances(self.cost[row])
        last = int((reached + end).argmin())
        chain = [last]
        while via[chain[-1]] >= 0:
            chain.append(int(via[chain[-1]]))
        # from the far end, so that each mover is still where its arc says
        for target, source in itertools.pairwise(chain):
            mover = int(self.movers[source, target])
            self.members[source].remove(mover)
            self.members[target].append(mover)
            self.labels[mover] = target
        self.labels[row] = chain[-1]
        self.members[chain[-1]].append(row)
        self.counts[last] += 1
        for cluster in chain:
            self._refresh(cluster)

    def _distances(self, entry: Floats) -> tuple[Floats, Ints]:
        """Find the cheapest way to free a place in each cluster for the point, and the one before it (Bellman-Ford).

        The current assignment is optimal, so there is no negative cycle; the slack keeps rounding from making one.
        """
        reached = entry.copy()
        via: Ints = np.full(len(entry), -1, dtype=np.int64)
        for _ in range(len(entry)):
            through = reached[:, None] + self.arcs
            source = through.argmin(0)
            candidate = through[source, np.arange(len(entry))]
            better = candidate < reached - self.slack
            if not better.any():
                break
            reached[better] = candidate[better]
            via[better] = source[better]
        return reached, via

    def _refresh(self, cluster: int) -> None:
        """Recompute the cheapest moves out of a cluster."""
        inside = self.members[cluster]
        if not inside:
            self.arcs[cluster] = np.inf
            return
        rows = self.cost[inside]
        change = rows - rows[:, cluster, None]
        best = change.argmin(0)
        self.arcs[cluster] = change[best, np.arange(len(best))]
        self.arcs[cluster, cluster] = np.inf
        self.movers[cluster] = np.asarray(inside)[best]
