"""The front of several objectives against its definition."""

import numpy as np

from analysis.sensitivity.fronts import front


def by_definition(scores):
    return [not any((other >= own).all() and (other > own).any() for other in scores) for own in scores]


def test_the_front_is_what_nobody_dominates():
    random = np.random.default_rng(0)
    for _ in range(50):
        scores = random.integers(0, 4, size=(8, 3)).astype(float)
        assert front(scores).tolist() == by_definition(scores)


def test_of_nothing_there_is_no_front_and_of_many_alike_all_are_on_it():
    assert front(np.zeros((0, 2))).tolist() == []
    assert front(np.ones((5, 2))).all()


def test_a_configuration_far_down_dominates_none_of_those_before_it():
    random = np.random.default_rng(1)
    scores = random.normal(size=(2_000, 2))
    by_first = scores[np.argsort(-scores[:, 0])]
    best = np.maximum.accumulate(by_first[:, 1])
    assert int(front(scores).sum()) == len(np.unique(best))
