"""The best one-to-one matching of clusters and classes, for many tables of counts at once, without SciPy's start-up."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["matched"]

Ints: TypeAlias = npt.NDArray[np.int64]

LARGEST = 32
"""Sides of tables that are matched here; larger ones are worth the import of SciPy's compiled solver."""


def matched(table: Ints) -> Ints:
    """Return the most points that a one-to-one matching of rows and columns covers, (M,), of counts (M, R, C).

    Exact: whichever of several best matchings is found, their sums are one whole number.
    """
    side = max(table.shape[1:])
    if side > LARGEST:
        return _by_scipy(table)
    cost = np.zeros((len(table), side, side), dtype=np.int64)
    cost[:, : table.shape[1], : table.shape[2]] = -table
    row_of = _Matching(cost).row_of_columns()
    sums: Ints = -np.take_along_axis(cost, row_of[:, None, :], axis=1)[:, 0].sum(1)
    return sums


def _by_scipy(table: Ints) -> Ints:
    from scipy.optimize import linear_sum_assignment

    sums = np.zeros(len(table), dtype=np.int64)
    for member, counts in enumerate(table):
        rows, columns = linear_sum_assignment(counts, maximize=True)
        sums[member] = counts[rows, columns].sum()
    return sums


class _Matching:
    """Successive shortest paths with potentials (Jonker and Volgenant 1987) on square costs (M, n, n), all M in step.

    `u` and `v` are the potentials of rows and columns: `cost - u - v` is never negative, and 0 where matched.
    """

    def __init__(self, cost: Ints) -> None:
        members, side = cost.shape[:2]
        self.cost = cost
        self.u: Ints = cost.min(2)
        self.v: Ints = np.zeros((members, side), dtype=np.int64)
        self.row_of: Ints = np.full((members, side), -1, dtype=np.int64)
        self.waiting = np.ones((members, side), dtype=bool)
        """Rows without a column."""
        first = cost.argmin(2)
        for row in range(side):
            (free,) = np.nonzero(self.row_of[np.arange(members), first[:, row]] < 0)
            self.row_of[free, first[free, row]] = row
            self.waiting[free, row] = False

    def row_of_columns(self) -> Ints:
        """Return the row that each column is matched with, (M, n)."""
        for row in range(self.cost.shape[1]):
            (members,) = np.nonzero(self.waiting[:, row])
            if len(members):
                self._enter(members, row)
        return self.row_of

    def _enter(self, members: Ints, row: int) -> None:
        """Match a row that still waits, in each of these members, along its shortest alternating path."""
        places = np.arange(len(members))
        near = self.cost[members, row] - self.u[members, row, None] - self.v[members]
        before = np.full(near.shape, -1, dtype=np.int64)
        seen = np.zeros(near.shape, dtype=bool)
        ends = np.zeros(len(members), dtype=np.int64)
        while len(places):
            open_near = np.where(seen[places], np.iinfo(np.int64).max, near[places])
            column = open_near.argmin(1)
            ends[places] = column
            owner = self.row_of[members[places], column]
            going = owner >= 0
            places, column, owner = places[going], column[going], owner[going]
            seen[places, column] = True
            at = members[places]
            through = self.cost[at, owner] - self.u[at, owner, None] - self.v[at]
            through += near[places, column, None]
            better = (through < near[places]) & ~seen[places]
            near[places] = np.where(better, through, near[places])
            before[places] = np.where(better, column[:, None], before[places])
        self._shift(members, row, near, near[np.arange(len(members)), ends], seen)
        self._augment(members, row, before, ends)

    def _shift(self, members: Ints, row: int, near: Ints, end: Ints, seen: npt.NDArray[np.bool_]) -> None:
        """Move the potentials so that every cell of the paths, which are `end` long, has 0."""
        change = np.where(seen, near - end[:, None], 0)
        self.v[members] += change
        owners = np.where(seen, self.row_of[members], 0)
        np.subtract.at(self.u, (members[:, None], owners), change)
        self.u[members, row] += end

    def _augment(self, members: Ints, row: int, before: Ints, ends: Ints) -> None:
        places, column = np.arange(len(members)), ends
        while len(places):
            source = before[places, column]
            first = source < 0
            at = members[places]
            self.row_of[at, column] = np.where(first, row, self.row_of[at, source])
            places, column = places[~first], source[~first]
