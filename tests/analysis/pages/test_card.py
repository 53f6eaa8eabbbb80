"""What a notebook shows of an answer: the report's first screen, with its look within it alone."""

import copy

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.pages.card import card
from analysis.pages.parts import parts_of


def test_question_answer_and_every_contrast_are_there_and_no_link_to_nowhere(synthetic):
    parts = parts_of(study_view.load(synthetic.results, synthetic.name))
    shown = card(parts)
    assert parts.study.record["question"] in shown and parts.short_answer in shown
    assert shown.count("<tr data-key=") == len(parts.found) and "href" not in shown and " id=" not in shown


def test_its_look_holds_within_it_alone(synthetic):
    style = card(parts_of(study_view.load(synthetic.results, synthetic.name))).partition("</style>")[0]
    outside = []
    depth, rule = 0, ""
    for sign in style.removeprefix("<style>"):
        if sign == "{":
            outside += [rule.strip()] if depth == 0 else []
            depth, rule = depth + 1, ""
        elif sign == "}":
            depth, rule = depth - 1, ""
        else:
            rule += sign
    assert depth == 0 and outside and all(one == ".orchestrate-card" for one in outside)


def test_texts_of_a_stranger_are_only_text(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    record = copy.deepcopy(dict(study.record)) | {"question": "<script>alert(1)</script>"}
    shown = card(parts_of(StudyView(study.name, study.results, record, study.rows)))
    assert "<script" not in shown and "&lt;script" in shown
