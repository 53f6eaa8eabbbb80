from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analysis.data import study_view
from analysis.published import Published, numbers
from analysis.verdicts import reproduction

NUMBER = Published(
    paper="p", table="t", title="", method="entropy", setting={}, dataset="mnist", metric="acc", value=0.582, std=0.031,
    n=6, protocol="whole", conditions={}, source="s", certainty="printed", target=True,
)  # fmt: skip
SPREAD = np.linspace(-0.005, 0.005, 20)


MARGIN = 0.031


def test_close_means_are_reproduced_and_distant_ones_are_not():
    tight = replace(NUMBER, std=0.01)
    assert reproduction.compare(0.582 + SPREAD, tight, MARGIN).word == "reproduced"
    assert reproduction.compare(0.682 + SPREAD, tight, MARGIN).word == "not reproduced"


def test_too_wide_an_interval_is_inconclusive_either_way():
    assert reproduction.compare(0.60 + 20 * SPREAD, NUMBER, MARGIN).word == "inconclusive"
    assert reproduction.compare(np.array([0.58]), NUMBER, MARGIN).word == "inconclusive"
    assert reproduction.compare(np.array([]), NUMBER, MARGIN).word == "inconclusive"


def test_a_noisy_paper_does_not_widen_the_margin():
    noisy = replace(NUMBER, std=0.3)
    assert reproduction.compare(0.582 + SPREAD, noisy, MARGIN).word == "inconclusive"


def test_the_interval_is_welchs():
    own = 0.6 + np.random.default_rng(0).normal(0, 0.02, 15)
    theirs = np.array([-1, 1, -1, 1, -1, 1]) * NUMBER.std * math.sqrt(5 / 6) + NUMBER.value  # 6 trials, this std
    expected = stats.ttest_ind(own, theirs, equal_var=False).confidence_interval(0.95)
    found = reproduction.compare(own, NUMBER, MARGIN)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("spread", "std"), [(1e-160, 0.0), (1e-160, 1e-170), (0.01, 1e100)])
def test_spreads_whose_squares_no_float_holds_are_judged_too(spread, std):
    judged = reproduction.compare(spread * np.arange(3), replace(NUMBER, value=0.0, std=std), MARGIN)
    assert judged.low <= judged.difference <= judged.high
    assert judged.word == ("inconclusive" if std > 1 else "reproduced")


def test_equivalence_agrees_with_statsmodels():
    weightstats = pytest.importorskip("statsmodels.stats.weightstats")
    own = 0.59 + np.random.default_rng(1).normal(0, 0.02, 15)
    theirs = np.array([-1, 1, -1, 1, -1, 1]) * NUMBER.std * math.sqrt(5 / 6) + NUMBER.value
    p, _, _ = weightstats.ttost_ind(own, theirs, -0.031, 0.031, usevar="unequal")
    assert reproduction.compare(own, NUMBER, MARGIN).p == pytest.approx(p)


@pytest.mark.parametrize("unknown", [{"std": math.nan}, {"n": 0}, {"n": 1}])
def test_a_number_of_unknown_spread_or_number_of_runs_is_described(unknown):
    found = reproduction.compare(0.582 + SPREAD, replace(NUMBER, **unknown), MARGIN)
    assert found.word == "described" and math.isnan(found.p) and found.low == -math.inf


def test_without_a_margin_of_the_study_a_number_is_described_with_its_interval():
    found = reproduction.compare(0.582 + SPREAD, NUMBER, None)
    assert found.word == "described" and math.isnan(found.p) and math.isfinite(found.low)


def test_identical_values_decide_without_a_spread():
    same = replace(NUMBER, value=0.5, std=0.0)
    assert reproduction.compare(np.full(3, 0.5), same, MARGIN).word == "reproduced"


def test_arms_stand_beside_what_the_paper_ran_and_nothing_else(two_datasets):
    study = study_view.load(two_datasets.results, two_datasets.name)
    found = reproduction.comparisons(study)
    pairs = {(one.arm, one.published.table) for one in found}
    assert ("kmeans @ mnist_5k", "Table 3") in pairs and ("baseline @ mnist_5k", "Table 3") in pairs
    assert ("update=epoch @ mnist_5k", "Fig. 12") in pairs and ("update=epoch @ mnist_5k", "Table 3") not in pairs
    assert all(one.dataset == "mnist_5k" for one in found)


def test_other_conditions_are_spelled_out(two_datasets):
    study = study_view.load(two_datasets.results, two_datasets.name)
    one = next(c for c in reproduction.comparisons(study) if c.published.table == "Fig. 12" and "update" in c.arm)
    assert "data mnist_5k instead of mnist" in one.sentence and "n epochs 10 instead of 50" in one.sentence
    assert one.judged.word == "other conditions" and "other conditions, not comparable" in one.sentence


def test_features_and_the_whole_of_a_dataset_are_conditions_too(two_datasets):
    study = study_view.load(two_datasets.results, two_datasets.name)
    found = reproduction.comparisons(study)
    raw = [one for one in found if one.published.table == "Table 3"]
    assert raw and all("input pixels instead of frozen ImageNet ResNet-50 features" in one.sentence for one in raw)
    assert all(one.judged.word == "other conditions" for one in raw)
    assert "other conditions" in reproduction.summary(found)


def test_what_the_paper_does_not_say_is_a_difference_too(two_datasets):
    study = study_view.load(two_datasets.results, two_datasets.name)
    study.rows["knob.network"] = "linear"
    stated = {"network": "linear", "n_epochs": 10}
    learned = replace(NUMBER, method="entropy", metric="nmi", dataset="mnist_5k", setting={}, conditions=stated)
    for known, word, said in (
        (stated, "not reproduced", "Same conditions."),
        ({}, "other conditions", "network not stated in the paper; n epochs not stated in the paper"),
    ):
        number = replace(learned, conditions=known)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reproduction, "numbers", lambda number=number: (number,))
            found = [one for one in reproduction.comparisons(study) if one.arm == "baseline @ mnist_5k"]
        assert [one.judged.word for one in found] == [word] and said in found[0].sentence, found


def test_every_published_number_lies_in_the_range_of_its_metric():
    for one in numbers():
        if one.metric in ("acc", "nmi", "ari"):
            assert 0 < one.value < 1 and (math.isnan(one.std) or 0 < one.std < 0.1), one


def test_no_published_number_is_entered_twice():
    keys = [
        (one.table, one.source, one.method, tuple(one.setting.items()), one.dataset, one.metric, one.certainty)
        for one in numbers()
    ]
    assert len(set(keys)) == len(keys)


ROWS = {
    # 2301.11405: methods x datasets (x metrics); Table 1 also has the ratio of its two times
    ("2301.11405", "Table 1"): 3 * (2 * 2 + 1),
    ("2301.11405", "Table 2"): 5,
    ("2301.11405", "Table 3"): 6 * 4,
    ("2301.11405", "Table 4"): 6 * 4,
    ("2301.11405", "Table 5"): 4 * 3 * 3,
    ("2301.11405", "Table 6"): 6 * 6,
    ("2301.11405", "Fig. 3"): 4,
    ("2301.11405", "Fig. 12"): 2,
    ("2301.11405", "Text"): 1,
    # 2311.14310: supplement, a training log, a README, and what others measured
    ("2311.14310", "Supplement Table 1"): 4 * 3,
    ("2311.14310", "Supplement Table 2"): 4 * (2 + 3 + 1),
    ("2311.14310", "Supplement Table 3"): 4,
    ("2311.14310", "Log at epoch 400"): 17,
    ("2311.14310", "CoKe README"): 3,
    ("2311.14310", "DCBoost Table 2"): 3 * 3,
    # 2311.00731: ProPos and its rivals stand in; IIC, SCAN and others are not printed everywhere
    ("2311.00731", "ProPos Table 2"): 2 * 5 * 3 + (3 + 1 + 3) + 3 * 3 + 5 * 3 + 5 * 3,
    ("2311.00731", "DCBoost Table 2"): 5 * 3,
    ("2311.00731", "ProPos issue 6"): 2,
    ("2311.00731", "Abstract"): 1,
    ("2303.16521", "Early commits"): 3,
}
"""Numbers that each table prints."""


def test_every_table_that_was_found_is_there_with_all_its_numbers():
    count: dict[tuple[str, str], int] = {}
    for one in numbers():
        count[one.paper, one.table] = count.get((one.paper, one.table), 0) + 1
    assert count == ROWS


@pytest.mark.parametrize(
    ("where", "setting", "value", "std", "n"),
    [
        (("Table 3", "entropy", "mnist", "acc"), {}, 0.582, 0.031, 6),
        (("Table 3", "sela", "cifar10", "acc"), {}, 0.6331, 0.037, 6),
        (("Table 4", "entropy", "mnist", "acc"), {}, 0.9358, 0.048, 6),
        (("Table 5", "entropy", "stl10", "ari"), {}, 0.6126, 0.004, 0),
        (("Table 2", "entropy", "stl10", "acc"), {"renyi_order": "inf"}, 0.7334, 0.016, 0),
        (("Supplement Table 2", "secu", "cifar10", "acc"), {"lower_bound": "0.9"}, 0.881, math.nan, 0),
        (("ProPos Table 2", "propos", "cifar10", "nmi"), {}, 0.886, math.nan, 0),
        (("ProPos Table 2", "byol", "imagenet_dogs", "ari"), {}, 0.548, math.nan, 0),
    ],
)
def test_numbers_read_off_by_hand(where, setting, value, std, n):
    (one,) = (
        x
        for x in numbers()
        if (x.table, x.method, x.dataset, x.metric) == where and all(x.setting.get(k) == v for k, v in setting.items())
    )
    assert one.value == pytest.approx(value) and one.source and one.certainty
    assert math.isnan(one.std) if math.isnan(std) else one.std == pytest.approx(std)
    assert n in (0, one.n)


def test_derived_ratios_agree_with_what_they_derive_from():
    by = {
        (one.setting.get("lower_bound"), one.metric): one.value
        for one in numbers()
        if one.table == "Supplement Table 2"
    }
    for bound, ratio in (("1.0", 1.008), ("0.9", 1.14), ("0.8", 1.20), ("0.7", 1.51)):
        assert by[bound, "size_ratio"] == pytest.approx(
            by[bound, "largest_cluster"] / by[bound, "smallest_cluster"], abs=1e-3
        )
        assert by[bound, "size_ratio"] == pytest.approx(ratio, abs=0.005)
