from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from trainables.partitions import matching


def by_scipy(table: np.ndarray) -> list[int]:
    sums = []
    for counts in table:
        rows, columns = linear_sum_assignment(counts, maximize=True)
        sums.append(int(counts[rows, columns].sum()))
    return sums


@settings(max_examples=200, deadline=None)
@given(
    members=st.integers(1, 5),
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    top=st.sampled_from([2, 5, 1000, 2**40]),
    seed=st.integers(0, 10_000),
)
def test_the_best_sums_are_those_of_scipy(members: int, rows: int, columns: int, top: int, seed: int) -> None:
    table = np.random.default_rng(seed).integers(0, top, (members, rows, columns))
    assert list(matching.matched(table)) == by_scipy(table)


@pytest.mark.parametrize("side", [matching.LARGEST, matching.LARGEST + 1])
def test_large_tables_too_on_both_sides_of_the_limit(side: int) -> None:
    table = np.random.default_rng(side).integers(0, 50, (2, side, side - 3))
    assert list(matching.matched(table)) == by_scipy(table)


def test_empty_tables_match_nothing() -> None:
    assert list(matching.matched(np.zeros((2, 3, 4), dtype=np.int64))) == [0, 0]
    assert list(matching.matched(np.zeros((0, 3, 3), dtype=np.int64))) == []
