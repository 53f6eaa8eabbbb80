"""Where a run stands: counts and notes."""

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
