"""The default chain: pairing by seed, decisions, and what it names."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest

from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.inference.paired_tests import holm
from orchestrator.inference.sign_flip import sign_flip_interval, sign_flip_p
from orchestrator.inference.verdict_chain import MissingSeed, judge


@dataclass(frozen=True)
class Pair:
    name: str
    weights: dict[str, float] = field(default_factory=lambda: {"arm": 1.0, "baseline": -1.0})


def table(rows, seeds=None):
    return {arm: dict(zip(seeds or range(len(row)), row, strict=True)) for arm, row in rows.items()}


def test_an_effect_with_its_interval_and_corrected_p():
    random = np.random.default_rng(0)
    values = table({arm: random.normal(mean, 0.1, 8) for arm, mean in [("baseline", 0), ("a", 1), ("b", 0)]})
    pairs = [Pair(arm, {arm: 1.0, "baseline": -1.0}) for arm in ("a", "b")]
    first, second = judge(values, {}, pairs)
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
    (verdict,) = judge(values, {}, [Pair("arm")])
    assert verdict.estimate == pytest.approx(1.0)
    assert verdict.descriptive.standard_deviation == pytest.approx(0.0, abs=1e-9)
    assert verdict.missing == (MissingSeed(3, ("arm",)),)
    assert verdict.all_seeds.seeds == (0, 1, 2, 4, 5, 6, 7, 8, 9)


def test_a_failed_seed_is_named_like_a_missing_one_and_touches_no_other_contrast():
    values = table({"baseline": [1.0] * 8, "a": [1.0, math.nan, *[2.0] * 6], "b": [3.0] * 8})
    first, second = judge(values, {}, [Pair(arm, {arm: 1.0, "baseline": -1.0}) for arm in ("a", "b")])
    assert first.missing == (MissingSeed(1, ("a",)),) and first.n_pairs == 7
    assert second.missing == () and second.n_pairs == 8


def test_one_complete_pair_is_refused_and_still_counts_in_the_family():
    values = {"baseline": dict.fromkeys(range(8), 0.0), "a": {0: 1.0}, "b": dict.fromkeys(range(8), 1.0)}
    first, second = judge(values, {}, [Pair(arm, {arm: 1.0, "baseline": -1.0}) for arm in ("a", "b")])
    assert first.decision == "refused" and "1 complete pair" in first.reason
    assert math.isnan(first.p) and math.isnan(first.p_corrected)
    assert len(first.missing) == 7
    assert second.p_corrected == pytest.approx(2 * 2.0**-7)


def test_nothing_at_all_is_refused():
    (verdict,) = judge({"arm": {}, "baseline": {}}, {}, [Pair("arm")], margin=1.0)
    assert verdict.decision == "refused" and verdict.n_pairs == 0
    assert judge({}, {}, []) == []


def test_too_few_pairs_for_alpha_are_said_to_be_too_few():
    values = table({"arm": [1.0, 2.0, 3.0, 4.0, 5.0], "baseline": [0.0] * 5})
    (verdict,) = judge(values, {}, [Pair("arm")])
    assert verdict.decision == "inconclusive"
    assert "cannot reach 0.05" in verdict.reason and "0.0625" in verdict.reason
    assert not verdict.interval.attainable


def test_equivalence_needs_a_margin_and_an_effect_inside_it_is_still_an_effect():
    random = np.random.default_rng(2)
    base = random.normal(0, 1, 12)
    values = table({"baseline": base, "arm": base + random.normal(0.0, 0.05, 12)})
    assert judge(values, {}, [Pair("arm")])[0].decision == "inconclusive"
    (same,) = judge(values, {}, [Pair("arm")], margin=0.2)
    assert same.decision == "equivalent" and same.equivalence is not None and same.equivalence.margin == 0.2
    shifted = table({"baseline": base, "arm": base + random.normal(0.1, 0.01, 12)})
    (both,) = judge(shifted, {}, [Pair("arm")], margin=0.2)
    assert both.decision == "effect" and both.equivalence is not None and both.equivalence.equivalent


def test_collapse_is_compared_apart_and_the_effect_without_it_stands_beside():
    values = table({"baseline": [10.0] * 8, "arm": [10.0, 1.0, 10.5, 1.0, 1.0, 1.0, 10.5, 1.0]})
    collapsed = {"arm": {seed: values["arm"][seed] == 1.0 for seed in range(8)}}
    (verdict,) = judge(values, collapsed, [Pair("arm")])
    assert verdict.collapse.collapsed == (5, 0) and verdict.collapse.trained == (8, 8)
    assert verdict.collapse.p == pytest.approx(2 * 56 / 4368)  # hypergeometric: C(8,5)/C(16,5), both tails
    assert verdict.non_collapsed.seeds == (0, 2, 6)
    assert verdict.non_collapsed.estimate == pytest.approx(1 / 3)
    assert verdict.estimate < -5 and verdict.n_pairs == 8
    assert verdict.interval_unreliable


def test_a_contrast_over_several_arms_sums_them_within_each_seed():
    values = table({"ab": [4.0, 5.0], "a": [1.0, 2.0], "b": [2.0, 1.0], "none": [0.0, 1.0]})
    interaction = Pair("a x b", {"ab": 0.5, "a": -0.5, "b": -0.5, "none": 0.5})
    (verdict,) = judge(values, {}, [interaction])
    assert verdict.estimate == pytest.approx(((4 - 1 - 2 + 0) / 2 + (5 - 2 - 1 + 1) / 2) / 2)


def test_wrong_requests_are_one_line():
    values = table({"arm": [1.0, 2.0], "baseline": [0.0, 0.0]})
    with pytest.raises(UnknownNameError, match="'arn'"):
        judge(values, {}, [Pair("x", {"arn": 1.0, "baseline": -1.0})])
    with pytest.raises(RequestError, match="sum to zero"):
        judge(values, {}, [Pair("x", {"arm": 1.0, "baseline": -0.5})])
    with pytest.raises(RequestError, match="alpha 5"):
        judge(values, {}, [Pair("x")], alpha=5)
    with pytest.raises(RequestError, match="margin"):
        judge(values, {}, [Pair("x")], margin=-1.0)
