from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from trainables.partitions.tables import contingency, entropy, mutual_information


def test_tables_count_what_scikit_learn_counts_for_each_member() -> None:
    draws = np.random.default_rng(0)
    hard, labels = draws.integers(5, size=(3, 200)), draws.integers(4, size=200)
    tables = contingency(hard, labels, 5, 4)
    for member in range(3):
        assert (tables[member] == contingency_matrix(hard[member], labels)).all()
    of_pairs = contingency(hard, hard[::-1], 5, 5)
    assert (of_pairs[0] == of_pairs[2].T).all()


def test_mutual_information_is_that_of_scikit_learn_and_an_empty_table_has_none() -> None:
    tables = np.random.default_rng(0).integers(0, 9, size=(4, 3, 5))
    theirs = [mutual_info_score(None, None, contingency=table) for table in tables]
    assert mutual_information(tables) == pytest.approx(theirs, abs=1e-12)
    assert list(mutual_information(np.zeros((1, 2, 2), dtype=np.int64))) == [0.0]


def test_entropy_is_zero_for_one_cluster_and_the_logarithm_of_even_ones() -> None:
    found = entropy(np.array([[7, 0, 0, 0], [5, 5, 5, 5]]))
    assert found[0] == 0.0 and not np.signbit(found[0]) and found[1] == pytest.approx(np.log(4))
