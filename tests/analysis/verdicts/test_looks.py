"""The looks of a study: what is paid for, and what one after the first plan may still claim."""

from __future__ import annotations

from analysis.verdicts.looks import looks_of, looks_sentence


def record(n, planned, taken, **seeds):
    return {
        "alpha": 0.05,
        "contrasts": [{}] * 2,
        "seeds": {"seeds": list(range(n)), "planned": list(planned), **seeds},
        "looks_taken": [{"n_seeds": k, "planned": k in planned} for k in taken],
    }


def test_one_look_as_planned_costs_nothing_and_needs_no_sentence():
    once = record(12, (12,), (12,))
    assert looks_of(once) is None and looks_sentence(once) == ""
    assert looks_of(record(12, (12,), ())) is None


def test_a_look_by_hand_is_told_and_paid_for():
    early = record(12, (12,), (6, 12))
    assert looks_of(early).taken == (6, 12) and looks_of(early).planned == (12,)
    assert looks_sentence(early) == "2 looks taken at the results, with 6 and 12 seeds, 1 of them not planned."


def test_a_study_that_stopped_early_says_what_it_saved():
    assert looks_sentence(record(10, (10, 20, 40), (10,), looks=[10, 20, 40])) == (
        "1 look taken at the results, with 10 seeds, as planned. Of 40 planned seeds the study took 10: it stopped "
        "there and saved 75 % of them."
    )


def test_a_look_after_the_first_plan_says_what_it_may_still_claim():
    late = record(36, (20,), (20, 36), file=[36])
    assert looks_of(late).planned == (20,)
    said = looks_sentence(late)
    assert "The first plan ended at 20 seeds: what it showed stands" in said
    assert "with what it left of a contrast's level (0 % without ties)" in said


def test_a_record_that_was_overwritten_is_read_by_its_first_looks():
    assert looks_of(record(36, (36,), (36,))) is None
    old = record(36, (36,), ())
    old["looks_taken"] = [{"n_seeds": 20, "planned": True}, {"n_seeds": 36, "planned": False}]
    assert (looks_of(old).planned, looks_of(old).taken) == ((20,), (20, 36))
