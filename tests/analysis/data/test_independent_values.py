"""Seeds on one drawn stage are one value wherever an interval or a test is made of an arm's seeds."""

import numpy as np
import pytest
import views

from analysis.across.head_to_head import head_to_head
from analysis.data.independent_values import independent
from analysis.tables.arm_tables import arm_rows, mean_interval
from orchestrator.trial import Stage, stages_text


def staged(n_stages):
    """Three methods on twelve seeds; of each, `n_stages` stages were drawn."""
    random = np.random.default_rng(0)
    methods = {"baseline": ("entropy", "baseline"), "secu": ("secu", "rival"), "sela": ("sela", "rival")}
    study = views.view_of_arms("s", methods, {(arm, "digits"): random.normal(0.5, 0.05, 12) for arm in methods})
    drawn = [Stage(name="pretraining", key=str(seed % n_stages), drawn=True) for seed in study.rows["seed"]]
    study.rows["stages"] = [stages_text([stage]) for stage in drawn]
    return study


def test_values_are_means_over_a_stage_and_as_they_are_where_all_or_none_share_it():
    values = {3: 0.1, 1: 0.3, 2: 0.8}
    assert independent(values, {}).values.tolist() == [0.1, 0.3, 0.8]
    assert independent(values, dict.fromkeys(values, ("a",))).counted == "3 seeds"
    found = independent(values, {3: ("a",), 1: ("a",), 2: ("b",)})
    assert found.values == pytest.approx([0.2, 0.8]) and found.counted == "2 independent stages"


def test_blocks_of_a_ranking_are_stages():
    assert len(head_to_head(staged(12)).table) == 12
    study = staged(4)
    table = head_to_head(study).table
    own = study.rows[study.rows["arm"] == "secu"]["metric.nmi"].to_numpy()
    assert table["secu"].to_numpy() == pytest.approx(own.reshape(3, 4).mean(0))


def test_an_arms_interval_is_that_of_its_stages():
    study = staged(4)
    rows = {row.arm: row.cells["nmi"] for row in arm_rows(study, [])}
    own = study.rows[study.rows["arm"] == "secu"]["metric.nmi"].to_numpy()
    expected = mean_interval(own.reshape(3, 4).mean(0))
    assert (rows["secu"].low, rows["secu"].high) == pytest.approx((expected.low, expected.high))
    assert rows["secu"].n == 12
