"""The deciding arrays: the same for one study as for many, and for missing values as for absent ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from orchestrator.inference.decisions import decide, paired_differences
from orchestrator.inference.paired_tests import holm, tost
from orchestrator.inference.sequential import Looks
from orchestrator.inference.sign_flip import sign_flip_p

AGAINST_FIRST = np.array([[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])


def test_a_seed_that_one_arm_lacks_is_missing_for_the_contrasts_of_that_arm_only():
    values = np.array([[1.0, 2.0, 3.0], [2.0, math.nan, 5.0], [0.0, 0.0, math.inf]])
    differences = paired_differences(values, AGAINST_FIRST)
    assert np.array_equal(differences, [[1.0, math.nan, 2.0], [-1.0, -2.0, math.nan]], equal_nan=True)


@pytest.mark.parametrize("looks", [None, Looks((6, 12))])
def test_many_studies_are_decided_as_each_alone(looks):
    random = np.random.default_rng(0)
    values = random.normal([[0.0], [1.0], [0.0]], 0.6, (5, 3, 12))
    values[1, 2, 3] = math.nan
    values[4, 1, 1:] = math.nan
    together = decide(values, AGAINST_FIRST, margin=0.8, looks=looks)
    assert together.effect.any() and together.equivalent.any() and together.refused[4, 0]
    for study in range(5):
        alone = decide(values[study], AGAINST_FIRST, margin=0.8, looks=looks)
        for name in ("p", "p_corrected", "p_equivalence_corrected", "estimate", "effect", "equivalent", "refused"):
            assert np.array_equal(getattr(alone, name), getattr(together, name)[study], equal_nan=True)


def test_the_chain_is_sign_flip_then_holm_and_tost_then_holm():
    values = np.random.default_rng(1).normal(size=(3, 9))
    found = decide(values, AGAINST_FIRST, margin=0.5)
    differences = values[1:] - values[0]
    assert found.p == pytest.approx(sign_flip_p(differences))
    assert found.p_corrected == pytest.approx(holm(sign_flip_p(differences)))
    assert found.p_equivalence_corrected == pytest.approx(holm(tost(differences, 0.5)))


def test_a_corrected_p_of_exactly_alpha_is_an_effect():
    # 6 pairs on one side, one contrast, alpha 1/32
    values = np.array([[0.0] * 6, [1.0] * 6])
    assert decide(values, [[-1.0, 1.0]], alpha=1 / 32).effect[0]
    assert not decide(values, [[-1.0, 1.0]], alpha=1 / 33).effect[0]


def test_seeds_after_the_last_look_are_not_used():
    values = np.random.default_rng(2).normal(size=(3, 12))
    found = decide(values, AGAINST_FIRST, looks=Looks((6, 20), taken=(6, 10)))
    assert found.differences.shape == (2, 10)
    assert list(found.n_pairs) == [10, 10]
