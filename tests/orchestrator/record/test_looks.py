"""Looks at a study: each is remembered once, and is planned only if nobody looked otherwise before."""

from orchestrator.record.looks import early_look, first_plan, with_look

RECORD = {"seeds": {"planned": [4, 8, 12], "file": "study.py"}}


def looked(record, *numbers):
    for number in numbers:
        record = with_look(record, number)
    return [(look["n_seeds"], look["planned"]) for look in record["looks_taken"]]


def test_looks_of_the_first_plan_are_planned_and_come_once():
    assert first_plan(RECORD) == (4, 8, 12)
    assert looked(RECORD, 4, 8, 4, 12) == [(4, True), (8, True), (12, True)]


def test_after_a_look_that_was_not_planned_none_is():
    assert looked(RECORD, 4, 6, 8) == [(4, True), (6, False), (8, False)]


def test_no_seeds_are_no_look():
    assert looked(RECORD, 0) == []


def test_a_report_of_a_study_under_way_is_a_look_once():
    look = early_look(RECORD, 4)
    assert look is not None and look["n_seeds"] == 4
    assert early_look(with_look(RECORD, 4), 4) is None
