"""The deciding arrays: the same for one study as for many, and for missing values as for absent ones."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from orchestrator.inference.collapse_test import critical
from orchestrator.inference.decisions import decide, paired_differences
from orchestrator.inference.paired_tests import holm, step_down, tost
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


def works_of(alone, n, both=0):
    """Two arms: the second does not work on its first `alone` seeds, both on the next ones."""
    works = np.ones((2, n))
    works[1, :alone] = 0.0
    works[:, alone : alone + both] = 0.0
    return works


def test_a_collapse_test_that_cannot_speak_costs_the_other_part_nothing():
    values = np.stack([np.zeros(12), np.linspace(0.5, 1.0, 12)])
    plain = decide(values, [[-1.0, 1.0]])
    for alone in range(4):
        works = works_of(alone, 12)
        found = decide(values, [[-1.0, 1.0]], works=works)
        assert found.n_pairs[0] == 12 - alone and not found.collapse[0]
        assert found.p_corrected[0] == found.p[0] == 2.0 ** (1 - (12 - alone)) > 0
    assert plain.p_corrected[0] == plain.p[0]


def test_one_that_can_takes_its_cost_from_the_other_part_until_it_has_spoken():
    values = np.stack([np.zeros(12), np.linspace(0.5, 1.0, 12)])
    close = decide(values, [[-1.0, 1.0]], works=works_of(4, 12))
    assert not close.collapse[0] and close.p_corrected[0] == pytest.approx(close.p[0] + critical(12, 0.04).cost)
    spoken = decide(values, [[-1.0, 1.0]], works=works_of(5, 12))
    assert spoken.collapse[0] and spoken.p_corrected[0] == spoken.p[0] == 2.0**-6


def test_step_down_is_holm_where_nothing_costs_and_never_gives_more_than_alpha():
    random = np.random.default_rng(0)
    p = random.random((50, 6)) ** 3
    corrected, level = step_down(p, np.zeros(p.shape), np.zeros(p.shape), 0.05)
    assert corrected == pytest.approx(holm(p))
    cost = 0.05 / 6 * random.random((50, 6)) * (random.random((50, 6)) < 0.4)
    corrected, level = step_down(p, cost, np.zeros(p.shape), 0.05)
    shown = corrected <= 0.05
    assert np.array_equal(shown, (p <= level) & shown)
    # what is spent on the other part of contrasts that are shown, and on both parts of the others, is alpha
    share = np.where(shown, np.inf, level + cost).min(axis=1)
    spent = np.where(shown, cost, share[:, None]).sum(axis=1)
    assert spent[~shown.all(axis=1)] == pytest.approx(0.05)
    assert np.all(corrected >= np.minimum(1.0, holm(p)) - 1e-12)


def test_tests_that_cannot_reject_do_not_count_in_the_family():
    p = np.array([0.004, 0.03, 0.2, 0.5, np.nan])
    # two can reach alpha / 2, and a third only alpha itself
    least = np.array([0.002, 0.001, 0.03, 0.2, 1.0])
    corrected, _ = step_down(p, np.zeros(5), least, 0.05)
    assert corrected[:2] == pytest.approx([2 * 0.004, 2 * 0.03])
    # once the first is shown, what is left is enough for the third to count
    assert corrected[2] == pytest.approx(0.2) and np.isnan(corrected[4])


def test_over_all_sign_vectors_a_family_with_dead_tests_claims_anything_in_at_most_alpha():
    orbit = np.array(list(product([1.0, -1.0], repeat=7)))
    sizes = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [3.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0]])
    gaps = orbit[:, None, :] * sizes
    gaps[:, 1, 4:] = np.nan
    values = np.concatenate([np.zeros((len(orbit), 1, 7)), gaps], axis=1)
    found = decide(values, AGAINST_FIRST, alpha=0.05)
    assert 0.02 < found.effect.any(axis=-1).mean() <= 0.05
    assert found.effect[:, 0].mean() > decide(values, AGAINST_FIRST, alpha=0.025).effect[:, 0].mean()


def test_a_shift_on_most_seeds_is_claimed_only_by_the_sign_test():
    gaps = np.array([3.0, 2.5, 2.0, 1.5, 3.5, 2.2, 1.8, 2.9, -0.4, -0.3])
    found = decide(np.stack([np.zeros(10), gaps]), [[-1.0, 1.0]])
    assert found.effect[0] and not found.most[0]
    found = decide(np.stack([np.zeros(10), np.abs(gaps)]), [[-1.0, 1.0]])
    assert found.effect[0] and found.most[0]


def test_equivalence_of_visibly_skewed_differences_needs_the_sign_test_too():
    # most differences lie beyond the margin, a few far on the other side pull the mean within
    gaps = np.r_[np.full(24, -1.05) + np.linspace(-0.02, 0.02, 24), [0.74, 0.75, 0.76, 0.77, 0.78, 0.79]]
    found = decide(np.stack([np.zeros(30), gaps]), [[-1.0, 1.0]], margin=1.0)
    assert found.p_equivalence_corrected[0] <= 0.05 and not found.by_signs[0] and not found.equivalent[0]


def test_what_a_later_look_contradicts_is_taken_back():
    values = np.stack([np.zeros(32), np.r_[np.linspace(0.1, 0.3, 20), np.full(12, -5.0)]])
    first = decide(values[:, :20], [[-1.0, 1.0]], looks=Looks((20,), taken=(20,)))
    assert first.effect[0] and first.estimate[0] > 0
    found = decide(values, [[-1.0, 1.0]], looks=Looks((20,), taken=(20, 32)))
    assert found.turned[0] and not found.effect[0] and found.estimate[0] < 0 and found.decided_at[0] == 32


def test_what_a_later_look_confirms_has_the_estimate_of_the_look_that_decided():
    values = np.stack([np.zeros(32), np.r_[np.linspace(0.9, 1.1, 20), np.linspace(0.1, 3.0, 12)]])
    found = decide(values, [[-1.0, 1.0]], looks=Looks((20,), taken=(20, 32)))
    assert found.effect[0] and found.decided_at[0] == 20 and found.estimate[0] == pytest.approx(1.0)


def test_looks_at_how_often_it_works_are_paid_for():
    works = np.stack([np.ones(20), np.r_[np.zeros(5), np.ones(15)]])
    values = np.random.default_rng(3).normal(size=(2, 20))
    once = decide(values[:, :10], [[-1.0, 1.0]], works=works[:, :10])
    twice = decide(values, [[-1.0, 1.0]], works=works, looks=Looks((10, 20)))
    assert once.collapse[0] and not twice.collapse[0]
    assert twice.p_collapse[0] >= 2 * once.p_collapse[0] * (1 - 1e-9)
    late = decide(values, [[-1.0, 1.0]], works=works, looks=Looks((10,), taken=(10, 20)))
    assert late.collapse[0]  # shown at the planned look, and not against the last one
