"""The default chain: pairing by seed, decisions, and what it names."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy import stats

from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.inference.arm_seed_values import ArmSeedValues
from orchestrator.inference.judgement import MissingSeed
from orchestrator.inference.paired_parts import matched
from orchestrator.inference.paired_tests import holm
from orchestrator.inference.sequential import Looks
from orchestrator.inference.sign_flip import sign_flip_interval, sign_flip_p
from orchestrator.inference.verdict_chain import judge


@dataclass(frozen=True)
class Pair:
    name: str
    weights: dict[str, float] = field(default_factory=lambda: {"arm": 1.0, "baseline": -1.0})


def judged(values, pairs, collapsed=None, **options):
    return judge(ArmSeedValues.of_mappings(values, collapsed), pairs, **options)


def table(rows, seeds=None):
    return {arm: dict(zip(seeds or range(len(row)), row, strict=True)) for arm, row in rows.items()}


def test_an_effect_with_its_interval_and_corrected_p():
    random = np.random.default_rng(0)
    values = table({arm: random.normal(mean, 0.1, 8) for arm, mean in [("baseline", 0), ("a", 1), ("b", 0)]})
    pairs = [Pair(arm, {arm: 1.0, "baseline": -1.0}) for arm in ("a", "b")]
    first, second = judged(values, pairs)
    differences = np.array([values["a"][s] - values["baseline"][s] for s in range(8)])
    other = np.array([values["b"][s] - values["baseline"][s] for s in range(8)])
    assert (first.decision, second.decision) == ("effect", "inconclusive")
    assert first.estimate == pytest.approx(differences.mean())
    assert first.interval == sign_flip_interval(differences, 1.0 - 0.05)
    assert [first.p_corrected, second.p_corrected] == pytest.approx(holm(sign_flip_p([differences, other])))
    assert first.reason == "" and second.reason == "neither an effect nor its absence is shown"


def test_pairing_is_by_seed_number_and_not_by_position():
    noise = dict(zip(range(10), np.random.default_rng(1).normal(0, 5, 10), strict=True))
    values = {
        "baseline": {seed: noise[seed] for seed in range(10)},
        # one seed failed and the rows come in another order
        "arm": {seed: noise[seed] + 1.0 for seed in reversed(range(10)) if seed != 3},
    }
    (verdict,) = judged(values, [Pair("arm")])
    assert verdict.estimate == pytest.approx(1.0)
    assert verdict.descriptive.standard_deviation == pytest.approx(0.0, abs=1e-9)
    assert verdict.missing == (MissingSeed(3, ("arm",)),)
    assert verdict.living.seeds == (0, 1, 2, 4, 5, 6, 7, 8, 9)


def test_a_failed_seed_is_named_like_a_missing_one_and_touches_no_other_contrast():
    values = table({"baseline": [1.0] * 8, "a": [1.0, math.nan, *[2.0] * 6], "b": [3.0] * 8})
    first, second = judged(values, [Pair(arm, {arm: 1.0, "baseline": -1.0}) for arm in ("a", "b")])
    assert first.missing == (MissingSeed(1, ("a",)),) and first.n_pairs == 7
    assert second.missing == () and second.n_pairs == 8


def test_one_complete_pair_is_refused_and_costs_the_others_nothing():
    values = {"baseline": dict.fromkeys(range(8), 0.0), "a": {0: 1.0}, "b": dict.fromkeys(range(8), 1.0)}
    first, second = judged(values, [Pair(arm, {arm: 1.0, "baseline": -1.0}) for arm in ("a", "b")])
    assert first.decision == "refused" and "1 seed on which both work" in first.reason
    assert math.isnan(first.p) and math.isnan(first.p_corrected)
    assert len(first.missing) == 7
    assert second.p_corrected == pytest.approx(2.0**-7)


def test_nothing_at_all_is_refused():
    (verdict,) = judged({"arm": {}, "baseline": {}}, [Pair("arm")], margin=1.0)
    assert verdict.decision == "refused" and verdict.n_pairs == 0
    assert judged({}, []) == []


def test_too_few_pairs_for_alpha_are_said_to_be_too_few():
    values = table({"arm": [1.0, 2.0, 3.0, 4.0, 5.0], "baseline": [0.0] * 5})
    (verdict,) = judged(values, [Pair("arm")])
    assert verdict.decision == "inconclusive"
    assert "cannot reach 0.05" in verdict.reason and "0.0625" in verdict.reason
    assert not verdict.interval.attainable


def test_equivalence_needs_a_margin_and_an_effect_inside_it_is_still_an_effect():
    random = np.random.default_rng(2)
    base = random.normal(0, 1, 12)
    values = table({"baseline": base, "arm": base + random.normal(0.0, 0.05, 12)})
    assert judged(values, [Pair("arm")])[0].decision == "inconclusive"
    (same,) = judged(values, [Pair("arm")], margin=0.2)
    assert same.decision == "equivalent" and same.equivalence is not None and same.equivalence.margin == 0.2
    shifted = table({"baseline": base, "arm": base + random.normal(0.1, 0.01, 12)})
    (both,) = judged(shifted, [Pair("arm")], margin=0.2)
    assert both.decision == "effect" and both.equivalence is not None and both.equivalence.equivalent


def test_how_often_it_works_and_how_good_it_is_where_both_work_are_two_parts():
    values = table({"baseline": [10.0] * 8, "arm": [10.0, 1.0, 10.5, 1.0, 1.0, 1.0, 10.5, 1.0]})
    collapsed = {"arm": {seed: values["arm"][seed] == 1.0 for seed in range(8)}}
    (verdict,) = judged(values, [Pair("arm")], collapsed)
    working = verdict.working
    assert (working.not_working, working.alone, working.n_seeds) == ((5, 0), (5, 0), 8)
    assert working.needed == 5 and working.shown and verdict.differs
    assert working.bound == pytest.approx(stats.beta.ppf(0.95, 6, 3))
    assert verdict.living.seeds == (0, 2, 6) and verdict.living.differences == (0.0, 0.5, 0.5)
    assert (verdict.living.better, verdict.living.worse) == (2, 0)
    assert verdict.estimate == pytest.approx(1 / 3) and verdict.n_pairs == 3
    assert verdict.overall.estimate == pytest.approx(-5.5) and verdict.overall.n_pairs == 8


def test_a_trial_that_failed_by_itself_does_not_work_and_one_that_was_cut_off_is_missing():
    values = {"baseline": dict.fromkeys(range(8), 1.0), "arm": dict.fromkeys(range(6), 2.0)}
    (verdict,) = judge(ArmSeedValues.of_mappings(values, failed={"arm": [6]}, seeds=range(8)), [Pair("arm")])
    assert verdict.working.not_working == (1, 0) and verdict.working.n_seeds == 7
    assert [one.seed for one in verdict.missing] == [7]


def test_an_arm_that_never_works_is_decided_without_a_seed_on_which_both_work():
    values = table({"baseline": [1.0] * 12, "arm": [0.1] * 12})
    collapsed = {"arm": dict.fromkeys(range(12), True)}
    (verdict,) = judged(values, [Pair("arm")], collapsed)
    assert verdict.decision == "refused" and verdict.working.shown and verdict.decided
    assert "0 seeds on which both work" in verdict.reason


def test_the_wrong_sign_study_is_inconclusive():
    """A small gain was shown at 20 seeds; of twelve more one lost 62.7 points and turned the mean."""
    gains = np.r_[np.linspace(0.05, 0.31, 20), np.linspace(0.05, 0.31, 11), -62.7]
    values = table({"baseline": np.zeros(32), "arm": gains})
    looks = Looks((20,), taken=(20, 32))
    (first,) = judged({arm: dict(list(row.items())[:20]) for arm, row in values.items()}, [Pair("arm")], looks=looks)
    assert first.decision == "effect" and first.estimate == pytest.approx(0.18)
    (verdict,) = judged(values, [Pair("arm")], looks=looks)
    assert verdict.decision == "inconclusive" and verdict.turned and verdict.estimate < 0
    assert "later seeds point the other way" in verdict.reason


def test_the_sign_of_an_effect_is_that_of_the_look_that_decided():
    gains = np.r_[np.linspace(0.9, 1.1, 20), np.linspace(0.2, 2.0, 12)]
    values = table({"baseline": np.zeros(32), "arm": gains})
    (verdict,) = judged(values, [Pair("arm")], looks=Looks((20,), taken=(20, 32)))
    assert verdict.decision == "effect" and verdict.decided_at == 20 and not verdict.turned
    assert verdict.estimate == pytest.approx(1.0) and verdict.interval.low > 0 and 1.0 in verdict.interval


def test_four_collapses_of_one_seed_are_one_seed():
    """`where_secu_collapses`, lower_bound=0: 4 of 40 trials collapsed, all four on one seed of ten."""
    random = np.random.default_rng(0)
    settings = {f"{level} {other}": {"level": level, "other": other} for level in (0, 1) for other in range(4)}
    values = {arm: dict(enumerate(random.normal(60, 1, 10))) for arm in settings}
    collapsed = {arm: {3: True} for arm, own in settings.items() if own["level"] == 1}
    weights = {arm: (own["level"] - 0.5) / 2 for arm, own in settings.items()}
    (verdict,) = judged(values, matched([Pair("level", weights)], settings), collapsed)
    working = verdict.working
    assert working.not_working == (1, 0) and working.alone == (1, 0) and working.n_seeds == 10
    assert working.p == 1.0 and not working.shown and working.needed == 6
    assert verdict.living.seeds == tuple(seed for seed in range(10) if seed != 3)
    # pooled over trials the same rows would have been called different
    assert stats.fisher_exact([[16, 24], [4, 36]]).pvalue < 0.05


def test_collapse_of_every_cell_on_many_seeds_is_seen_through_the_grid():
    settings = {f"{level} {other}": {"level": level, "other": other} for level in (0, 1) for other in range(4)}
    values = {arm: dict.fromkeys(range(10), 60.0) for arm in settings}
    collapsed = {arm: dict.fromkeys(range(7), True) for arm, own in settings.items() if own["level"] == 1}
    weights = {arm: (own["level"] - 0.5) / 2 for arm, own in settings.items()}
    (verdict,) = judged(values, matched([Pair("level", weights)], settings), collapsed)
    assert verdict.working.shown and verdict.working.not_working == (7, 0)
    assert verdict.n_pairs == 3


def test_seeds_that_were_written_into_the_file_claim_no_more_than_the_first_plan_left():
    """Twenty seeds were planned and looked at; then the file said 36, then 48."""
    random = np.random.default_rng(1)
    gains = np.r_[random.normal(0.0, 1.0, 20), random.normal(0.9, 1.0, 28)]
    values = table({"baseline": np.zeros(48), "arm": gains})
    (overwritten,) = judged(values, [Pair("arm")])
    assert overwritten.decision == "effect"  # as if 48 had been planned and nobody had looked
    (kept,) = judged(values, [Pair("arm")], looks=Looks((20,), taken=(20, 36, 48)))
    assert kept.decision == "inconclusive" and kept.p_corrected > 0.04
    # two stages that were planned pay for the first look only what it could have claimed
    (planned,) = judged(values, [Pair("arm")], looks=Looks((20, 48)))
    assert planned.decision == "effect"


def test_a_sequential_study_stops_when_both_parts_are_decided():
    random = np.random.default_rng(2)
    values = table({"baseline": random.normal(0, 0.1, 10), "arm": random.normal(5, 0.1, 10)})
    (verdict,) = judged(values, [Pair("arm")], looks=Looks((10, 20, 40)))
    assert verdict.decision == "effect" and verdict.collapse_futile and verdict.decided
    collapsed = {"arm": dict.fromkeys(range(4), True)}
    (open_,) = judged(values, [Pair("arm")], collapsed, looks=Looks((10, 20, 40)))
    assert not open_.working.shown and not open_.collapse_futile and not open_.decided


def test_a_contrast_over_several_arms_sums_them_within_each_seed():
    values = table({"ab": [4.0, 5.0], "a": [1.0, 2.0], "b": [2.0, 1.0], "none": [0.0, 1.0]})
    interaction = Pair("a x b", {"ab": 0.5, "a": -0.5, "b": -0.5, "none": 0.5})
    (verdict,) = judged(values, [interaction])
    assert verdict.estimate == pytest.approx(((4 - 1 - 2 + 0) / 2 + (5 - 2 - 1 + 1) / 2) / 2)


def test_wrong_requests_are_one_line():
    values = table({"arm": [1.0, 2.0], "baseline": [0.0, 0.0]})
    with pytest.raises(UnknownNameError, match="'arn'"):
        judged(values, [Pair("x", {"arn": 1.0, "baseline": -1.0})])
    with pytest.raises(RequestError, match="sum to zero"):
        judged(values, [Pair("x", {"arm": 1.0, "baseline": -0.5})])
    with pytest.raises(RequestError, match="alpha 5"):
        judged(values, [Pair("x")], alpha=5)
    with pytest.raises(RequestError, match="margin"):
        judged(values, [Pair("x")], margin=-1.0)
