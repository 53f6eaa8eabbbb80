"""Seeds that share a stage with a draw of its own: what is one unit, and a test that counts units."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, stats

from orchestrator.inference.arm_seed_values import ArmSeedValues
from orchestrator.inference.decisions import decide
from orchestrator.inference.sequential import Looks
from orchestrator.inference.shared_draws import ABSENT, Sharing, by_unit, sharing
from orchestrator.inference.sign_flip import sign_flip_interval, sign_flip_p
from orchestrator.inference.verdict_chain import judge

labelled = st.lists(st.none() | st.sets(st.sampled_from("abcdefgh"), max_size=3), max_size=9)


@dataclass(frozen=True)
class Pair:
    name: str = "arm"
    weights: dict[str, float] = field(default_factory=lambda: {"arm": 1.0, "baseline": -1.0})


@given(labelled)
def test_units_are_the_connected_parts_of_seeds_and_stages_without_those_that_all_have(labels):
    found = sharing(labels)
    counting = [own for own in labels if own is not None]
    common = set.intersection(*counting) if len(counting) > 1 else set()
    assert found.common == tuple(sorted(common)) and found.n_seeds == len(counting)
    edges = [(seed, ord(one)) for seed, own in enumerate(labels) for one in (own or set()) - common]
    rows, columns = zip(*edges, strict=True) if edges else ((), ())
    graph = sparse.coo_array((np.ones(len(edges)), (rows, columns)), shape=(128, 128))
    _, parts = sparse.csgraph.connected_components(graph, directed=False)
    for one, own in enumerate(labels):
        assert (found.units[one] == ABSENT) == (own is None)
        for other in range(one):
            if own is not None and labels[other] is not None:
                assert (found.units[one] == found.units[other]) == (parts[one] == parts[other])


@given(
    st.lists(st.tuples(st.floats(-1, 1) | st.just(math.nan), st.integers(0, 3)), min_size=1, max_size=12),
)
def test_the_mean_of_each_unit_stands_once_whatever_is_missing(pairs):
    differences, units = np.array([value for value, _ in pairs]), [unit for _, unit in pairs]
    found = by_unit(differences, units)
    expected = pd.Series(differences).groupby(units).mean().dropna()
    np.testing.assert_allclose(np.sort(found[np.isfinite(found)]), np.sort(expected.to_numpy()), atol=1e-12)


def test_seeds_of_their_own_keep_their_numbers_bit_for_bit():
    differences = np.random.default_rng(0).normal(size=(3, 2, 9))
    assert np.array_equal(by_unit(differences, range(9)), differences)
    assert not Sharing(tuple(range(9))).grouped


def study(differences):
    n = len(differences)
    return {"baseline": dict.fromkeys(range(n), 0.0), "arm": dict(enumerate(differences))}


def test_a_grouped_contrast_is_tested_on_the_means_of_its_stages():
    differences = np.random.default_rng(1).normal(0.3, 0.2, 24)
    stages = {"arm": {seed: [f"pretraining {seed % 8}"] for seed in range(24)}}
    (found,) = judge(ArmSeedValues.of_mappings(study(differences), drawn=stages), [Pair()])
    means = differences.reshape(3, 8).mean(0)
    assert (found.n_pairs, found.sharing.n_units, found.sharing.n_seeds) == (8, 8, 24)
    assert found.p == pytest.approx(float(sign_flip_p(means)))
    assert found.estimate == pytest.approx(means.mean())
    expected = sign_flip_interval(means)
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.low, expected.high))
    assert found.descriptive.standard_deviation == pytest.approx(means.std(ddof=1))


def test_few_stages_cannot_decide_however_many_seeds_they_have():
    stages = {"arm": {seed: [f"pretraining {seed // 10}"] for seed in range(40)}}
    (found,) = judge(ArmSeedValues.of_mappings(study(np.full(40, 0.5)), drawn=stages), [Pair()])
    assert found.decision == "inconclusive"
    assert found.reason.startswith("4 independent stages and 1 contrasts cannot reach 0.05")
    linked = {"arm": stages["arm"], "baseline": {seed: [f"other {seed % 10}"] for seed in range(40)}}
    (found,) = judge(ArmSeedValues.of_mappings(study(np.full(40, 0.5)), drawn=linked), [Pair()])
    assert (found.decision, found.reason) == ("refused", "1 independent stage on which both work: a test needs two")


def test_what_every_seed_shares_changes_no_number_and_is_handed_on():
    values = study(np.random.default_rng(2).normal(0.1, 0.2, 10))
    stages = {arm: {seed: ["features x"] for seed in range(10)} for arm in values}
    (plain,), (given_it,) = (
        judge(ArmSeedValues.of_mappings(values), [Pair()]),
        judge(ArmSeedValues.of_mappings(values, drawn=stages), [Pair()]),
    )
    assert given_it.sharing.common == ("features x",) and not given_it.sharing.grouped
    assert (plain.p, plain.interval, plain.estimate) == (given_it.p, given_it.interval, given_it.estimate)


def test_a_missing_seed_neither_hides_what_all_share_nor_joins_a_unit():
    values = study(np.random.default_rng(3).normal(0.1, 0.2, 8))
    del values["arm"][3]
    stages = {arm: {seed: ["features x"] for seed in values[arm]} for arm in values}
    (found,) = judge(ArmSeedValues.of_mappings(values, drawn=stages), [Pair()])
    assert found.sharing.common == ("features x",) and found.n_pairs == 7
    assert found.missing[0].seed == 3


def test_looks_of_grouped_seeds_are_paid_for_one_by_one():
    differences = np.random.default_rng(4).normal(0.2, 0.2, 24)
    stages = {"arm": {seed: [f"pretraining {seed % 8}"] for seed in range(24)}}
    looks = Looks((12, 24), taken=(12, 24))
    (found,) = judge(ArmSeedValues.of_mappings(study(differences), drawn=stages), [Pair()], looks=looks)
    means = differences.reshape(3, 8).mean(0)
    assert found.p == pytest.approx(min(1.0, 2 * float(sign_flip_p(means))))
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (sign_flip_interval(means, 0.975).low, sign_flip_interval(means, 0.975).high)
    )
    assert not found.futile


def test_stages_that_vary_claim_nothing_in_five_percent_of_studies_and_seeds_taken_as_independent_do():
    random, n_studies = np.random.default_rng(5), 1_000
    drawn = np.repeat(random.normal(0, 1.0, (n_studies, 6)), 3, axis=-1)  # six stages, three seeds each
    values = np.stack([random.normal(0, 0.5, (n_studies, 18)), drawn + random.normal(0, 0.5, (n_studies, 18))], 1)
    units = Sharing(tuple(seed // 3 for seed in range(18)))
    wrong = stats.binom.ppf(0.999, n_studies, 0.05) / n_studies
    assert decide(values, [[-1.0, 1.0]], sharings=[units]).effect.mean() <= wrong
    assert decide(values, [[-1.0, 1.0]]).effect.mean() > 2 * wrong
