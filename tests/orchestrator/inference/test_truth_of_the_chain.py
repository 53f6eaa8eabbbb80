"""Thousands of studies in which nothing differs, through the chain that decides: how often it claims something.

Every scenario also runs the mistake it guards against, which must fail the same bound: the test can see it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from orchestrator.inference.arm_seed_values import ArmSeedValues
from orchestrator.inference.decisions import decide
from orchestrator.inference.power import Replication, detectable_difference, power_of
from orchestrator.inference.selection import choose_configuration
from orchestrator.inference.sequential import Looks, sequential_p
from orchestrator.inference.sign_flip import interval_ends, sign_flip_p
from orchestrator.inference.verdict_chain import judge

pytestmark = pytest.mark.slow

N_STUDIES = 5_000
ALPHA = 0.05


def bound(n_studies, rate=ALPHA):
    """The 99.9 % quantile of the share of studies, if each is wrong with probability `rate`."""
    return stats.binom.ppf(0.999, n_studies, rate) / n_studies


def against_first(n_arms):
    return np.column_stack([-np.ones(n_arms - 1), np.eye(n_arms - 1)])


def null_values(random, n_arms, n_seeds, n_studies=N_STUDIES):
    """Clustering accuracies of equal arms: a seed effect in common, an own part with heavy tails."""
    shared = random.normal(0.6, 0.06, (n_studies, 1, n_seeds))
    return shared + 0.04 * random.standard_t(3, (n_studies, n_arms, n_seeds))


def with_collapses(random, values, rate=0.15):
    """Some members collapse to a fifth; equally often in every arm, more often on bad seeds."""
    hard = random.random((len(values), 1, values.shape[2])) < 0.3
    collapsed = random.random(values.shape) < np.where(hard, 2 * rate, rate * 4 / 7)
    return np.where(collapsed, 0.2 + 0.01 * random.normal(size=values.shape), values), collapsed


def any_claim(claims):
    return np.mean(np.any(claims, axis=-1))


@pytest.mark.sample
@pytest.mark.parametrize("n_seeds", [6, 10, 20])
def test_fixed_seeds(n_seeds):
    n_arms = 2 if n_seeds == 6 else 4
    values = null_values(np.random.default_rng(n_seeds), n_arms, n_seeds)
    found = decide(values, against_first(n_arms), alpha=ALPHA)
    assert any_claim(found.effect) <= bound(N_STUDIES)
    assert any_claim(found.effect) > 0.015
    if n_arms > 2:
        assert any_claim(found.p <= ALPHA) > bound(N_STUDIES)  # without Holm


def test_until_decided():
    values = null_values(np.random.default_rng(1), 4, 40)
    looks = (10, 20, 40)
    # a claim at any look stays, so the last running p counts whatever the study stopped for
    found = decide(values, against_first(4), alpha=ALPHA, looks=Looks(looks))
    assert any_claim(found.effect) <= bound(N_STUDIES)
    naive = [decide(values[..., :n], against_first(4), alpha=ALPHA).effect for n in looks[:2]]
    naive.append(found.p_corrected <= ALPHA)
    assert any_claim(np.logical_or.reduce(naive)) > bound(N_STUDIES)


def test_looks_by_hand_beyond_a_plan_of_ten_seeds():
    values = null_values(np.random.default_rng(2), 2, 16)
    taken = (6, 10, 16)
    found = decide(values, against_first(2), alpha=ALPHA, looks=Looks((10,), taken=taken))
    assert any_claim(found.effect) <= bound(N_STUDIES)
    naive = [decide(values[..., :n], against_first(2), alpha=ALPHA).effect for n in taken]
    assert any_claim(np.logical_or.reduce(naive)) > bound(N_STUDIES)


def test_search_then_around_on_confirm_seeds():
    random = np.random.default_rng(3)
    search = null_values(random, 16, 3)
    # the label-free score goes with the accuracy of the same trial, and collapsed configurations are dropped
    score = search + random.normal(0, 0.02, search.shape)
    collapsed = random.random(search.shape) < 0.05
    confirm = null_values(random, 16, 10)
    studies = np.arange(N_STUDIES)
    choices = [choose_configuration({"neighbour_mi": score[i]}, collapsed[i]).chosen for i in studies]
    chosen = np.array([0 if choice is None else choice for choice in choices])
    default, level = (chosen + 1) % 16, (chosen + 2) % 16

    def study(values):
        arms = np.stack([values[studies, arm] for arm in (default, chosen, level)], axis=1)
        return decide(arms, against_first(3), alpha=ALPHA)

    assert any_claim(study(confirm).effect) <= bound(N_STUDIES)
    # chosen and tested on the same ten seeds
    chosen = np.argmax(confirm.mean(axis=2), axis=1)
    default, level = (chosen + 1) % 16, (chosen + 2) % 16
    assert any_claim(study(confirm).effect) > bound(N_STUDIES)


@pytest.mark.sample
def test_collapsed_and_missing_seeds():
    random = np.random.default_rng(4)
    values, _ = with_collapses(random, null_values(random, 4, 12))
    values[random.random(values.shape) < 0.1] = np.nan
    found = decide(values, against_first(4), alpha=ALPHA)
    assert len(np.unique(found.n_pairs)) > 4
    assert any_claim(found.effect) <= bound(N_STUDIES)
    # averaging over survivors: an arm that fails on its hard seeds looks better than its equal
    paired = null_values(random, 2, 12)
    failed = np.where(paired[:, 1] < np.quantile(paired[:, 0], 0.25, axis=1)[:, None], np.nan, paired[:, 1])
    there = np.isfinite(failed).any(axis=1)
    assert np.mean(np.nanmean(failed[there], axis=1) > paired[there, 0].mean(axis=1)) > 0.75


def test_ledger_reuse_of_one_baseline_by_two_studies():
    random = np.random.default_rng(5)
    values = null_values(random, 7, 12)
    baseline, first, second = values[:, :1], values[:, 1:4], values[:, 4:7]
    one = decide(np.concatenate([baseline, first], axis=1), against_first(4), alpha=ALPHA)
    # the second study asks for ten of the twelve seeds that are there
    other = decide(np.concatenate([baseline, second], axis=1)[..., :10], against_first(4), alpha=ALPHA)
    assert any_claim(one.effect) <= bound(N_STUDIES)
    assert any_claim(other.effect) <= bound(N_STUDIES)


def test_equivalence_is_claimed_of_arms_at_the_margin_no_more_often_than_alpha():
    random = np.random.default_rng(6)
    values = null_values(random, 4, 12)
    values[:, 1:] += np.array([1.0, -1.0, 1.0])[:, None] * 0.03
    found = decide(values, against_first(4), alpha=ALPHA, margin=0.03)
    assert any_claim(found.equivalent) <= bound(N_STUDIES)
    values[:, 1:] -= np.array([1.0, -1.0, 1.0])[:, None] * 0.03
    assert any_claim(decide(values, against_first(4), alpha=ALPHA, margin=0.06).equivalent) > 0.1


def test_equivalence_over_looks_at_the_margin():
    values = null_values(np.random.default_rng(7), 2, 20)
    values[:, 1] += 0.03
    found = decide(values, against_first(2), alpha=ALPHA, margin=0.03, looks=Looks((10, 20)))
    assert any_claim(found.equivalent) <= bound(N_STUDIES)


@dataclass(frozen=True)
class Pair:
    name: str
    weights: dict[str, float]


def test_judgements_of_named_arms_and_seeds_are_the_decisions_of_the_arrays():
    random = np.random.default_rng(8)
    values, collapsed = with_collapses(random, null_values(random, 3, 10, n_studies=100))
    values[random.random(values.shape) < 0.1] = np.nan
    works = np.where(np.isnan(values), np.nan, np.where(collapsed, 0.0, 1.0))
    found = decide(values, against_first(3), works=works, alpha=ALPHA, margin=0.05)
    pairs = [Pair(f"arm {i}", {f"arm {i}": 1.0, "arm 0": -1.0}) for i in (1, 2)]
    for study, table in enumerate(values):
        rows = {f"arm {arm}": dict(zip(random.permutation(10).tolist(), [0.0] * 10, strict=True)) for arm in range(3)}
        for arm, row in enumerate(table):
            rows[f"arm {arm}"].update({seed: float(value) for seed, value in enumerate(row)})
        flags = {f"arm {arm}": dict(enumerate(map(bool, row))) for arm, row in enumerate(collapsed[study])}
        judged = judge(ArmSeedValues.of_mappings(rows, flags), pairs, alpha=ALPHA, margin=0.05)
        for i, verdict in enumerate(judged):
            assert (verdict.decision == "effect") == found.effect[study, i]
            assert verdict.working.shown == found.collapse[study, i]
            assert np.array_equal(verdict.p_corrected, found.p_corrected[study, i], equal_nan=True)
            assert verdict.n_pairs == found.n_pairs[study, i]
            assert verdict.working.n_seeds + len(verdict.missing) == 10


@pytest.mark.sample
@pytest.mark.parametrize(("m", "n"), [(1, 12), (3, 12), (1, 20)])
@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_equal_collapse_claims_a_difference_of_neither_part(m, n, rate):
    random = np.random.default_rng(11)
    values, collapsed = with_collapses(random, null_values(random, 1 + m, n), rate)
    found = decide(values, against_first(1 + m), works=1.0 - collapsed, alpha=ALPHA)
    assert any_claim(found.effect | found.collapse) <= bound(N_STUDIES)
    # each part at alpha of its own: the mistake that sharing alpha guards against shows where both can speak
    if (m, n, rate) == (1, 20, 0.5):
        other = decide(values, against_first(1 + m), works=1.0 - collapsed, alpha=2 * ALPHA)
        assert any_claim(other.effect | other.collapse) > any_claim(found.effect | found.collapse)


def test_collapse_by_seed_over_a_grid_is_no_difference_and_pooled_trials_say_it_is():
    random = np.random.default_rng(12)
    fate = np.repeat(random.random((N_STUDIES, 2, 10)) < 0.3, 4, axis=1)  # a level's four arms share a seed's fate
    cells = np.zeros((4, 8))
    cells[np.arange(4), np.arange(4)], cells[np.arange(4), 4 + np.arange(4)] = -0.25, 0.25
    values = random.normal(60.0, 3.0, fate.shape)
    found = decide(values, [cells], works=1.0 - fate, alpha=ALPHA)
    assert any_claim(found.collapse) <= bound(N_STUDIES)
    gone = fate.reshape(N_STUDIES, 2, 40).sum(axis=-1)
    pooled = [stats.fisher_exact([[a, 40 - a], [b, 40 - b]]).pvalue <= ALPHA for a, b in gone[:500].tolist()]
    assert np.mean(pooled) > 4 * ALPHA


DISTRIBUTIONS = {
    "normal": lambda random, shape: random.normal(size=shape),
    "heavy-tailed": lambda random, shape: random.standard_t(2.5, shape),
    "bounded": lambda random, shape: random.uniform(-1, 1, shape),
    "bounded, two-humped": lambda random, shape: random.beta(0.4, 0.4, shape) - 0.5,
}


@pytest.mark.parametrize("n", [6, 10, 20])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_intervals_of_symmetric_differences_cover(n, name):
    rows = DISTRIBUTIONS[name](np.random.default_rng(n), (5000, n))
    not_rejected = sign_flip_p(rows) > 0.05
    assert np.mean(not_rejected) >= 0.93
    # the interval holds the centre exactly where the test does not reject it
    low, high, attained = interval_ends(rows[:150], 0.95)
    assert np.array_equal((low <= 0) & (high >= 0), not_rejected[:150])
    assert np.all(attained >= 0.95)


def test_repeated_intervals_cover_at_all_looks_together():
    rows = np.random.default_rng(9).standard_t(3, (2000, 40))
    # the centre lies outside the interval of a look exactly if that look rejects it
    assert np.mean(sequential_p(rows, Looks((10, 20, 40)))[:, -1] > 0.05) >= 0.94


@pytest.mark.parametrize(("n", "contrasts"), [(7, 2), (10, 10), (20, 1), (20, 6), (30, 3)])
def test_power_agrees_with_simulation(n, contrasts):
    replication = Replication(n, contrasts)
    effect = detectable_difference(1.0, replication)
    random = np.random.default_rng(n)
    n_studies = 4000 if n <= 20 else 1000
    for share in (1.0, 0.7, 0.4):
        rows = random.normal(share * effect, 1.0, (n_studies, n))
        found = np.mean(sign_flip_p(rows) <= replication.level * (1 + 1e-9))
        assert power_of(share * effect, 1.0, replication) == pytest.approx(found, abs=0.05)


@pytest.mark.parametrize("contrasts", [1, 5])
def test_power_of_looks_agrees_with_simulation(contrasts):
    looks = Looks((10, 20, 40))
    replication = Replication(40, contrasts, looks=looks)
    effect = detectable_difference(1.0, replication)
    for share in (1.0, 0.6):
        rows = np.random.default_rng(10).normal(share * effect, 1.0, (1500, 40))
        found = np.mean(sequential_p(rows, looks)[:, -1] <= replication.level * (1 + 1e-9))
        assert power_of(share * effect, 1.0, replication) == pytest.approx(found, abs=0.05)
