from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.data import study_view
from analysis.tables import arm_tables
from analysis.verdicts import verdicts


@pytest.fixture(scope="module")
def study(synthetic):
    return study_view.load(synthetic.results, synthetic.name)


@pytest.fixture(scope="module")
def rows(study):
    return arm_tables.arm_rows(study, verdicts.verdicts(study))


def test_mean_and_interval_agree_with_scipy():
    values = np.random.default_rng(3).normal(size=9)
    cell = arm_tables.mean_interval(values)
    low, high = stats.t.interval(0.95, 8, loc=values.mean(), scale=stats.sem(values))
    assert (cell.mean, cell.std, cell.low, cell.high) == pytest.approx((values.mean(), values.std(ddof=1), low, high))


def test_one_value_has_no_interval_and_none_has_no_mean():
    assert np.isnan(arm_tables.mean_interval(np.array([1.0])).low) and np.isnan(
        arm_tables.mean_interval(np.array([])).mean
    )


def test_the_baseline_comes_first_and_every_arm_has_its_row(rows, synthetic):
    assert [row.arm for row in rows] == [arm["name"] for arm in synthetic.record["arms"]]
    assert rows[0].verdict is None and all(row.verdict is not None for row in rows[1:])


def test_printed_rows_fit_their_headings(rows):
    for beside in (True, False):
        head = arm_tables.columns(rows, "nmi", 0.95, beside=beside)
        assert {len(line) for line in arm_tables.printed(rows, "nmi", beside=beside)} == {len(head)}


def test_both_parts_stand_side_by_side_and_collapsed_trials_are_in_the_mean(rows):
    row = next(row for row in rows if row.arm == "fairness_weight=0")
    assert row.cells["nmi"].n == 12 and row.cells["nmi"].mean < 0.45
    line = dict(zip(arm_tables.columns([row], "nmi", 0.95), arm_tables.printed([row], "nmi")[0], strict=True))
    working = row.verdict.judgement.working
    assert line["works"] == "6/12" and working.not_working == (6, 0)
    assert line["works vs baseline"].startswith("not told apart (") and working.needed == 9
    assert line["better on"].endswith("/6") and line["where both work [95 %]"].startswith("−1.7 [")


def test_the_seeds_that_are_counted_are_the_better_ones_of_a_loss_too(rows):
    row = next(row for row in rows if row.arm == "fairness_weight=0")
    living = row.verdict.judgement.living
    for metric, head, counted in (("loss", "better on", living.worse), ("n_clusters_used", "higher on", living.better)):
        line = dict(zip(arm_tables.columns([row], metric, 0.95), arm_tables.printed([row], metric)[0], strict=True))
        assert line[head] == f"{counted}/{len(living.seeds)}"


def test_a_failed_trial_does_not_work(rows):
    row = next(row for row in rows if row.arm == "update=epoch")
    line = dict(zip(arm_tables.columns([row], "nmi", 0.95), arm_tables.printed([row], "nmi")[0], strict=True))
    assert (line["works"], line["seeds"]) == ("11/12", "11/12")


def test_visibly_skewed_differences_are_starred(rows):
    plain = next(row for row in rows if row.arm == "loss=forward")
    judgement = plain.verdict.judgement
    skewed = replace(judgement, living=replace(judgement.living, skewed=True))
    starred = replace(plain, verdict=replace(plain.verdict, judgement=skewed))
    (line,), (marked,) = arm_tables.printed([plain], "nmi"), arm_tables.printed([starred], "nmi")
    assert [one for one, other in zip(marked, line, strict=True) if one != other] == [f"{line[4]}*"]
    assert "visibly skewed" in arm_tables.note([starred], "nmi")


def test_the_csv_holds_every_number_unrounded(rows, study, tmp_path):
    paths = arm_tables.write(rows, study, tmp_path)
    table = pd.read_csv(paths["csv"]).set_index("arm")
    own = study_view.by_seed(study, "nmi")
    assert table.loc["loss=forward", "nmi.mean"] == pytest.approx(
        np.mean(list(own["loss=forward"].values())), rel=1e-12
    )
    paired = [own["loss=forward"][seed] - own["baseline"][seed] for seed in range(12)]
    assert table.loc["loss=forward", "difference"] == pytest.approx(np.mean(paired), rel=1e-12)
    assert table.loc["update=epoch", ["planned", "complete", "failed", "missing"]].tolist() == [12, 11, 1, 0]


def test_every_latex_row_has_as_many_cells_as_columns(rows, study, tmp_path):
    text = arm_tables.write(rows, study, tmp_path)["tex"].read_text()
    sides = re.search(r"\\begin\{tabular\}\{([lr]+)\}", text).group(1)
    body = text.split("\\midrule")[1].split("\\bottomrule")[0].strip().splitlines()
    assert len(body) == len(rows) and {len(re.split(r"(?<!\\)&", line)) for line in body} == {len(sides)}
    assert text.isascii()


def test_datasets_get_a_column_where_there_are_several(two_datasets):
    study = study_view.load(two_datasets.results, two_datasets.name)
    rows = arm_tables.arm_rows(study, verdicts.verdicts(study))
    assert arm_tables.columns(rows, "nmi", 0.95)[:2] == ["data", "arm"]
    assert arm_tables.printed(rows, "nmi")[8][:2] == ["mnist_5k", "baseline"]


def test_arms_stand_under_their_dataset_in_order(rows):
    first, second, *_ = rows
    mixed = [replace(first, dataset="b"), replace(second, dataset="a"), replace(second, dataset="b")]
    assert arm_tables.by_dataset(mixed) == {"b": [mixed[0], mixed[2]], "a": [mixed[1]]}
