import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.data import study_view
from analysis.figures.forest import Row, axis_of
from analysis.pages.overview import WIDTH, as_text, common_axis, line_of
from analysis.pages.parts import parts_of

NUMBERS = st.floats(-1e3, 1e3)


def row(low, centre, high, decision="effect"):
    return Row(key="a", label="a", decision=decision, words="", centre=centre, low=low, high=high, value="")


class Told:
    """Of an answer, what a line is made of."""

    def __init__(self, study):
        parts = parts_of(study)
        self.question, self.short, self.lead, self.tally = "Why?", parts.short_answer, parts.lead, ""
        self.words = self.living = tuple(one.word for one in parts.found)
        self.how_often = ()


@pytest.fixture(scope="module")
def line(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    return line_of(study, Told(study))


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS).map(sorted))
def test_a_picture_in_text_has_one_width_and_its_mark_within_its_interval(ends):
    low, centre, high = ends
    one = row(low, centre, high)
    text = as_text(one, axis_of([one]))
    assert len(text) == WIDTH and text.count("◆") == 1
    assert not text.replace("◆", "").replace("─", "").replace("│", "").strip()


def test_zero_is_drawn_where_nothing_covers_it():
    one = row(5.0, 6.0, 7.0, "inconclusive")
    text = as_text(one, axis_of([one]))
    assert text.index("│") < text.index("○")


def test_what_has_no_interval_has_no_line():
    one = row(math.nan, 6.0, math.nan, "equivalent")
    assert "─" not in as_text(one, axis_of([one])) and "■" in as_text(one, axis_of([one]))


def test_a_line_names_what_can_be_asked_for(line):
    assert line.papers == ("004",) and "fairness_weight" in line.knobs and "norm_weight" in line.knobs
    assert "effect" in line.verdicts and len(set(line.verdicts)) == len(line.verdicts)
    assert line.percent and line.n_seeds == 12


def test_the_most_telling_contrast_is_a_shown_one_under_the_axis_of_all(line):
    assert line.lead.decision == "effect"
    axis = common_axis([line])
    assert 0 < axis.place(line.lead.low) < axis.place(line.lead.high) < 100


def test_a_study_without_tests_has_no_lead(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    bare = study_view.StudyView(study.name, study.results, {**study.record, "contrasts": []}, study.rows)
    line = line_of(bare, Told(bare))
    assert line.lead is None and line.verdicts == ("described",) and common_axis([line]).low < 0
