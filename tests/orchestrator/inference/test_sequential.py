"""Looks: validity by counting sign vectors, what a look costs, intervals and futility."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest

from orchestrator.errors import RequestError
from orchestrator.inference.arm_seed_values import ArmSeedValues
from orchestrator.inference.sequential import Looks, first_plan, is_futile, sequential_interval_ends, sequential_p
from orchestrator.inference.sign_flip import one_dominates, sign_flip_p
from orchestrator.inference.verdict_chain import judge


@pytest.mark.parametrize("looks", [Looks((4, 6, 9)), Looks((9,), taken=(6, 9)), Looks((7,), taken=(7, 9))])
@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
def test_over_all_sign_vectors_p_is_ever_below_a_with_probability_at_most_a(looks, alternative):
    # the null distribution itself: every sign vector of nine fixed magnitudes takes its turn as the observed one
    magnitudes = np.random.default_rng(0).standard_t(3, 9)
    orbit = np.array(list(product([1.0, -1.0], repeat=9))) * magnitudes
    p = sequential_p(orbit, looks, 0.1, alternative)[:, -1]
    for level in (0.1, 0.05, 0.1 / 3, 0.1 / 7, 0.005):
        assert np.mean(p <= level) <= level
    assert np.mean(p <= 0.1) > 0.06


def test_p_never_rises_from_look_to_look():
    p = sequential_p(np.random.default_rng(1).normal(0.4, 1, (20, 16)), Looks((6, 10, 16)))
    assert np.all(np.diff(p, axis=1) <= 0.0)


def test_one_planned_look_is_the_plain_test():
    rows = np.random.default_rng(2).normal(0.3, 1.0, (5, 12))
    assert np.array_equal(sequential_p(rows, Looks((12,)))[:, 0], sign_flip_p(rows))


def test_an_early_look_is_paid_for_and_one_that_could_not_reject_is_free():
    rows = np.random.default_rng(3).normal(0.55, 1.0, (40, 12))
    plain = sign_flip_p(rows)
    paid = sequential_p(rows, Looks((8, 12)))[:, -1]
    free = sequential_p(rows, Looks((12,), taken=(3, 12)))[:, -1]
    assert np.sum(paid <= 0.05) < np.sum(plain <= 0.05) <= np.sum(free <= 0.05)
    assert np.array_equal(free <= 0.05, plain <= 0.05)


def test_after_the_last_planned_look_only_what_it_left_unused_remains():
    # ten pairs spent .0488 of .05: what comes later, however clear, cannot bring p below what was spent
    rows = np.random.default_rng(4).normal(0.0, 1.0, (10, 20))
    rows[:, 10:] += 3.0
    rows = rows[~one_dominates(rows[:, :10])]  # signs alone would leave more
    spent = sequential_p(rows, Looks((10,), taken=(10, 20)))[:, -1]
    open_rows = sign_flip_p(rows[:, :10]) > 0.05
    assert open_rows.sum() == 8
    assert np.all(sign_flip_p(rows[open_rows]) < 0.01) and np.all(spent[open_rows] > 0.04)
    # six pairs spent .031 of .05: the rest can still be used
    rest = sequential_p(rows, Looks((6,), taken=(6, 20)))
    assert np.all(rest[:, -1] <= 0.05)


def test_a_look_that_adds_no_pair_is_not_taken():
    rows = np.random.default_rng(5).normal(0.3, 1.0, (6, 20))
    stopped = rows.copy()
    stopped[:, 10:] = math.nan
    p = sequential_p(stopped, Looks((10, 20)))
    assert np.array_equal(p[:, 0], p[:, 1])
    assert np.array_equal(p[:, 0], sequential_p(rows, Looks((10, 20)))[:, 0])


def test_repeated_interval_is_what_the_last_look_does_not_reject():
    rows = np.random.default_rng(6).normal(0.2, 1.0, (3, 16))
    looks = Looks((8, 16))
    low, high, attained = sequential_interval_ends(rows, looks, 0.05)
    plain_low, plain_high, _ = sequential_interval_ends(rows, Looks((16,)), 0.05)
    assert np.all(low < plain_low) and np.all(high > plain_high) and np.all(attained == 0.95)
    step = 1e-5 * (high - low)
    # the running p also counts earlier looks; far outside both agree, just inside it must not reject by the last look
    assert np.all(sequential_p(rows - (low - step)[:, None], looks)[:, -1] <= 0.05)
    assert np.all(sequential_p(rows - (high + step)[:, None], looks)[:, -1] <= 0.05)
    inside = sequential_p(rows - (low + step)[:, None], looks)
    assert np.all((inside[:, -1] > 0.05) | (inside[:, 0] <= 0.05))


def test_repeated_interval_is_infinite_where_the_level_cannot_be_reached():
    low, high, attained = sequential_interval_ends(np.ones((1, 4)), Looks((4, 8)), 0.05)
    assert (low[0], high[0]) == (-math.inf, math.inf) and math.isnan(attained[0])


def test_hopeless_contrasts_are_futile_and_open_ones_are_not():
    random = np.random.default_rng(7)
    flat = random.normal(0, 1, 20)
    flat -= flat.mean()
    assert is_futile(flat, 40, 0.05)
    assert not is_futile(flat + 0.3, 40, 0.05)
    # with a margin that the present spread can settle, more seeds do help
    assert not is_futile(flat, 40, 0.05, margin=0.8)
    assert is_futile(flat, 40, 0.05, margin=0.1)
    assert is_futile([1.0, 2.0], 2, 0.05) and not is_futile([1.0], 10, 0.05)


def test_looks_that_do_not_grow_are_refused():
    with pytest.raises(RequestError, match="growing"):
        Looks((10, 10))
    with pytest.raises(RequestError, match="growing"):
        Looks((10,), taken=(20, 10))
    with pytest.raises(RequestError, match="at least one look"):
        Looks(())


@pytest.mark.parametrize(
    ("seeds", "taken", "plan"),
    [
        ({"planned": [20], "file": [36]}, [(20, True), (36, False)], (20,)),
        ({"planned": [10, 20, 40], "looks": [10, 20, 40]}, [(10, True)], (10, 20, 40)),
        ({"looks": [10, 20]}, [], (10, 20)),
        ({}, [], ()),
        # records from before the first plan was kept name the last one: what was planned when it was looked at is older
        ({"planned": [48]}, [(20, True), (36, False), (48, False)], (20,)),
        ({"planned": [12]}, [(6, False), (12, False)], (12,)),
    ],
)
def test_the_first_plan_is_what_the_record_says_or_what_its_looks_betray(seeds, taken, plan):
    assert first_plan(seeds, [{"n_seeds": n, "planned": planned} for n, planned in taken]) == plan


def test_what_the_last_planned_look_leaves_of_a_level():
    assert Looks((10,)).unspent(0.05) == pytest.approx(1 - 25 / 25.6)
    assert Looks((5,)).unspent(0.05) == 1.0


def test_the_saving_of_a_stop():
    assert Looks((10, 20, 40)).saving(10) == 0.75
    assert Looks((10,)).saving(20) == 0.0


@dataclass(frozen=True)
class Pair:
    name: str
    weights: dict[str, float]


def study(effect, n_seeds):
    random = np.random.default_rng(8)
    base = random.normal(0, 1, 40)
    arm = base + random.normal(0, 0.3, 40)
    arm += effect - (arm - base)[:n_seeds].mean()
    return {"baseline": dict(enumerate(base[:n_seeds])), "arm": dict(enumerate(arm[:n_seeds]))}


def judged(values, pairs, *, seeds=None, **options):
    return judge(ArmSeedValues.of_mappings(values, seeds=seeds), pairs, **options)


def test_a_sequential_study_is_decided_by_effect_equivalence_or_futility():
    pairs = [Pair("arm", {"arm": 1.0, "baseline": -1.0})]
    looks = Looks((10, 20, 40))
    (effect,) = judged(study(0.5, 10), pairs, looks=looks)
    assert effect.decision == "effect" and effect.decided and effect.looks == (10,)
    assert 0.0 not in effect.interval
    (same,) = judged(study(0.0, 20), pairs, looks=looks, margin=0.4)
    assert same.decision == "equivalent" and same.decided and same.looks == (10, 20)
    (futile,) = judged(study(0.0, 20), pairs, looks=looks)
    assert futile.decision == "inconclusive" and futile.futile and futile.decided
    (open_,) = judged(study(0.14, 10), pairs, looks=looks)
    assert open_.decision == "inconclusive" and not open_.decided


def test_seeds_after_the_stop_on_another_dataset_are_not_missing_but_a_failed_arm_is():
    values = study(0.5, 20)
    early = {f"{arm} early": {s: v for s, v in row.items() if s < 10 and s != 4} for arm, row in values.items()}
    values["arm"] = {seed: value for seed, value in values["arm"].items() if seed < 10}
    pairs = [
        Pair("early", {"arm early": 1.0, "baseline early": -1.0}),
        Pair("failed", {"arm": 1.0, "baseline": -1.0}),
    ]
    stopped, failed = judged(values | early, pairs, looks=Looks((10, 20)))
    assert [one.seed for one in stopped.missing] == [4]
    assert [(one.seed, one.arms) for one in failed.missing] == [(seed, ("arm",)) for seed in range(10, 20)]
    assert stopped.n_pairs == 9 and failed.n_pairs == 10


def test_a_seed_that_was_asked_for_and_that_no_arm_has_keeps_its_place():
    values = study(0.5, 10)
    for arm in values.values():
        del arm[2]
    pairs = [Pair("arm", {"arm": 1.0, "baseline": -1.0})]
    (verdict,) = judged(values, pairs, looks=Looks((10, 20)), seeds=range(10))
    assert verdict.looks == (10,) and verdict.missing[0].seed == 2
    assert verdict.missing[0].arms == ("baseline", "arm")
