"""Where a run stands: counts and notes."""

import math

import pytest

from orchestrator.run.progress import Progress
from orchestrator.trial import FailureKind, TrialOutcome, TrialSpec, TrialState

SPEC = TrialSpec(method="toy", method_version=1, config={}, dataset="digits", dataset_digest="d", n_epochs=1)


def ended(state, **more):
    return TrialOutcome(spec=SPEC, attempt=1, state=state, **more)


def test_every_end_is_counted_under_its_name_and_a_collapse_beside_it():
    progress = Progress()
    progress.ended(ended(TrialState.COMPLETE, collapsed=True))
    progress.ended(ended(TrialState.PRUNED))
    for kind in (FailureKind.BUG, FailureKind.BUG, FailureKind.DATA):
        progress.ended(ended(TrialState.FAILED, failure_kind=kind))
    assert (progress.complete, progress.pruned, progress.failed) == (1, 1, {"bug": 2, "data": 1})
    assert (progress.n_failed, progress.trained, progress.collapsed) == (3, 5, 1)


def test_what_is_known_already_adds_up_over_what_phases_ask_for():
    progress = Progress()
    progress.planned(10, "search", 3)
    progress.planned(30, "confirm", 5)
    assert (progress.total, progress.phase, progress.hits) == (30, "confirm", 8)


def test_a_note_is_said_once_and_an_empty_one_never():
    progress = Progress()
    progress.note_all(["first", "", "second", "first"])
    assert progress.take_notes() == ["first", "second"]
    progress.note("first")
    assert progress.take_notes() == []


def trained(progress, count):
    for _ in range(count):
        progress.ended(ended(TrialState.COMPLETE))


def test_the_whole_is_announced_at_once_and_does_not_grow_when_the_search_gives_way():
    progress, seen = Progress(), []
    progress.announce(100, 0, {"wall_seconds": [50.0, 40.0, 60.0]})
    progress.planned(40, "search", 0)
    for total, phase in ((40, "search"), (70, "confirm"), (100, "confirm")):
        progress.planned(total, phase, 0)
        trained(progress, 30)
        seen.append((progress.done, progress.whole))
    assert seen == [(30, 100), (60, 100), (90, 100)] and progress.total == 100


def test_what_the_ledger_has_is_done_from_the_beginning():
    progress = Progress()
    progress.announce(100, 40, None)
    progress.planned(20, "search", 10)
    assert progress.done == 40
    progress.planned(100, "confirm", 30)
    trained(progress, 5)
    assert progress.done == 45


def test_more_than_was_announced_is_never_done():
    progress = Progress()
    progress.announce(10, 0, None)
    progress.planned(12, "confirm", 0)
    trained(progress, 15)
    assert (progress.done, progress.whole) == (12, 12)


def test_the_price_says_what_is_left_until_something_has_ended_and_the_pace_at_the_end():
    progress = Progress()
    progress.announce(100, 0, {"wall_seconds": [50.0, 40.0, 60.0]})
    assert progress.seconds_left(3.0) == 50.0
    trained(progress, 1)
    assert progress.seconds_left(10.0) == pytest.approx(50.0, rel=0.05)  # a slow start says little
    trained(progress, 98)
    assert progress.seconds_left(198.0) == pytest.approx(2.0, rel=0.05)  # in the end, the pace says it
    trained(progress, 1)
    assert progress.seconds_left(200.0) == 0.0


def test_without_a_price_the_pace_says_what_is_left_and_without_both_nothing_does():
    progress = Progress()
    progress.announce(10, 0, None)
    assert math.isnan(progress.seconds_left(1.0))
    trained(progress, 5)
    assert progress.seconds_left(10.0) == pytest.approx(10.0)


def test_what_is_left_falls_smoothly_when_a_run_keeps_to_its_price():
    progress = Progress()
    progress.announce(50, 0, {"wall_seconds": [100.0, 90.0, 110.0]})
    left = []
    for number in range(1, 51):
        trained(progress, 1)
        left.append(progress.seconds_left(2.0 * number))
    assert left == pytest.approx([100.0 - 2.0 * number for number in range(1, 51)], abs=1e-6)
