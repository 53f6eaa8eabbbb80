import pandas as pd
import pytest

from analysis.data import study_view
from analysis.figures.described import described_answer, described_forest
from analysis.sensitivity.importance import Importance, importances
from analysis.sensitivity.screening import Screening
from analysis.tables.arm_tables import arm_rows
from analysis.verdicts.short_answer import MOST_WORDS


@pytest.fixture(scope="module")
def study(synthetic):
    found = study_view.load(synthetic.results, synthetic.name)
    return study_view.StudyView(found.name, found.results, {**found.record, "contrasts": []}, found.rows)


@pytest.fixture(scope="module")
def rows(study):
    return arm_rows(study, [])


def shares(**known):
    table = pd.DataFrame({knob: [value, value - 0.1, value + 0.1] for knob, value in known.items()}).T
    table.columns = ["importance", "low", "high"]
    return Importance(0, "entropy on digits", "nmi", 40, table, table["importance"], table)


def test_knobs_that_were_searched_are_drawn_before_arms(study, rows):
    known = importances(study)
    forest = described_forest(study, rows, known, [])
    assert [row.label for row in forest.rows] == known[0].shares.index.tolist()
    assert forest.rows[0].label == "fairness_weight"


def test_without_a_search_the_arms_are_drawn(study, rows):
    forest = described_forest(study, rows, [], [])
    assert [row.label for row in forest.rows] == [row.short for row in rows]
    assert forest.axis.low > 0  # values, not differences: zero need not be there


def test_without_any_trial_there_is_no_picture(study):
    assert described_forest(study, [], [], []) is None
    assert described_answer(study, [], [], []) == "No trial is complete yet."


def test_a_knob_leads_only_if_its_interval_lies_above_the_next(study, rows):
    assert described_answer(study, rows, [shares(lr=0.9, alpha=0.1)], []).startswith("lr matters most: 90 %")
    assert described_answer(study, rows, [shares(lr=0.55, alpha=0.45)], []).startswith("No clear first; lr has most")


def test_an_index_of_a_design_comes_first(study, rows):
    table = pd.DataFrame({"mu_star": [0.2, 0.1], "low": [0.1, 0.0], "high": [0.3, 0.2]}, index=["lr", "alpha"])
    one = Screening.__new__(Screening)
    for name, value in {"kind": "morris", "table": table, "refused": "", "method": "m", "dataset": "d"}.items():
        object.__setattr__(one, name, value)
    assert "lr has the largest influence" in described_answer(study, rows, [], [one])
    assert [row.centre for row in described_forest(study, rows, [], [one]).rows] == [20.0, 10.0]


def test_an_answer_is_short(study, rows):
    for known in ([], [shares(a_knob_with_quite_a_long_name=0.9, alpha=0.1)]):
        assert len(described_answer(study, rows, known, []).split()) <= MOST_WORDS
