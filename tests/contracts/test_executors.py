"""The contract of `orchestrator.executors.base`, held by every executor there is."""

import pytest

from orchestrator.errors import CodeMismatchError
from orchestrator.executors.inline import InlineExecutor
from orchestrator.trial import FailureKind, TrialState


@pytest.fixture(params=["inline", "ray_tune"])
def executor(request):
    return InlineExecutor() if request.param == "inline" else request.getfixturevalue("ray_executor")


def test_every_member_of_every_bundle_gets_all_its_rows_and_one_outcome(executor, source_of, bundles):
    source = source_of(bundles(5, size=3, n_epochs=4))
    executor.run(source)
    assert len(source.how("finished")) == 5
    assert sorted((row["trial_id"], row["epoch"]) for row in source.rows) == sorted(
        (spec.trial_id, epoch)
        for bundle in bundles(5, size=3)
        for spec in _with_epochs(bundle, 4)
        for epoch in (1, 2, 3, 4)
    )
    assert {outcome.state for outcome in source.outcomes} == {TrialState.COMPLETE}
    assert len({outcome.spec.trial_id for outcome in source.outcomes}) == len(source.outcomes) == 15


def test_reports_of_a_bundle_come_in_the_order_of_its_epochs(executor, source_of, bundles):
    source = source_of(bundles(4, n_epochs=6, nap=0.002))
    executor.run(source)
    for bundle in source.how("finished"):
        epochs = [row["epoch"] for row in source.rows if row["trial_id"] == bundle.specs[0].trial_id]
        assert epochs == [1, 2, 3, 4, 5, 6]


def test_rows_are_those_of_the_inline_executor_bit_for_bit(executor, source_of, bundles):
    here, there = source_of(bundles(3, size=2)), source_of(bundles(3, size=2))
    InlineExecutor().run(here)
    executor.run(there)
    assert _metrics(there) == _metrics(here)


def test_a_finished_source_is_not_asked_for_anything(executor, source_of):
    source = source_of()
    source.next_task = None
    executor.run(source)


def test_a_source_may_wait_for_results_before_it_hands_out_more(executor, source_of, bundles):
    first, second, third = bundles(2), bundles(3, scale=2.0), bundles(1, scale=3.0)
    source = source_of(first, second, third)
    executor.run(source)
    assert [len(bundle) for bundle in source.how("finished")] == [1] * 6
    assert source.how("finished")[:2] in ([first[0], first[1]], [first[1], first[0]])
    assert source.how("finished")[5] == third[0]


def test_members_that_the_source_decides_against_leave_and_the_others_go_on(executor, source_of, bundles):
    (bundle,) = bundles(1, size=3, n_epochs=5, prunable=True)
    source = source_of([bundle])
    source.decisions = {2: (1,)}
    executor.run(source)
    epochs = {spec.trial_id: 0 for spec in bundle.specs}
    for row in source.rows:
        epochs[row["trial_id"]] = max(epochs[row["trial_id"]], row["epoch"])
    assert list(epochs.values()) == [5, 2, 5]
    states = {outcome.spec.seed: outcome.state for outcome in source.outcomes}
    assert states == {0: TrialState.COMPLETE, 1: TrialState.PRUNED, 2: TrialState.COMPLETE}


def test_nobody_is_asked_for_decisions_on_a_bundle_that_is_not_prunable(executor, source_of, bundles):
    source = source_of(bundles(1, size=2))
    source.decide = None
    executor.run(source)
    assert len(source.how("finished")) == 1


def test_a_stop_ends_bundles_at_their_next_evaluation_and_is_no_loss(executor, source_of, bundles):
    source = source_of(bundles(6, n_epochs=1000, nap=0.01))

    def stop(bundle, report):
        source.stopping = True

    source.on_report = stop
    executor.run(source)
    assert not source.open
    assert source.how("interrupted")
    assert {event for _, event in source.events} == {"interrupted"}


def test_an_executor_is_of_use_after_a_stop(executor, source_of, bundles):
    stopped, later = source_of(bundles(2, n_epochs=1000, nap=0.01)), source_of(bundles(3))
    stopped.on_report = lambda bundle, report: setattr(stopped, "stopping", True)
    executor.run(stopped)
    executor.run(later)
    assert len(later.how("finished")) == 3


def test_what_the_source_raises_comes_out_of_run_and_the_executor_stays_of_use(executor, source_of, bundles):
    source, later = source_of(bundles(4)), source_of(bundles(2))

    def full(bundle, report):
        raise OSError("disk full")

    source.on_report = full
    with pytest.raises(OSError, match="disk full"):
        executor.run(source)
    executor.run(later)
    assert len(later.how("finished")) == 2


def test_other_code_than_the_drivers_is_refused(executor, source_of, bundles):
    source = source_of(bundles(3), code_digest="0" * 20)
    with pytest.raises(CodeMismatchError, match=r"'scripted'.*0000"):
        executor.run(source)
    assert not source.reports


@pytest.mark.parametrize(
    ("wrong", "kind", "text"),
    [
        ({"method": "unimportable"}, FailureKind.BUG, "ZeroDivisionError: unfinished"),
        ({"method": "no_such_method"}, FailureKind.BUG, "no_such_method"),
        ({"dataset": "absent"}, FailureKind.DATA, "no file"),
    ],
)
def test_what_fails_beside_the_method_is_the_outcome_of_every_member(executor, source_of, bundles, wrong, kind, text):
    source = source_of(bundles(1, size=2, **wrong), bundles(1))
    executor.run(source)
    failed = source.outcomes[:2]
    assert [outcome.state for outcome in failed] == [TrialState.FAILED] * 2
    assert [outcome.failure_kind for outcome in failed] == [kind] * 2
    assert all(text in outcome.error for outcome in failed)
    assert len(source.how("finished")) == 2


def test_what_a_bundle_said_comes_with_its_failure_and_with_nothing_else(executor, source_of, bundles):
    names = {"method": "complaining", "n_epochs": 1}
    source = source_of(bundles(1, ends="well", **names), bundles(1, ends="raises", **names))
    executor.run(source)
    assert [report.log for _, report in source.reports if not report.outcomes[0].error] == [""]
    (told,) = [report for _, report in source.reports if report.outcomes[0].error]
    assert "RuntimeError: no more" in told.outcomes[0].error
    assert told.log.count("warned by ") == 1  # not what the bundle before said
    assert told.log.count("printed by ") == (executor.__class__ is not InlineExecutor)  # else it is on the terminal


def test_data_of_other_content_than_the_plans_are_refused(executor, source_of, bundles):
    from dataclasses import replace

    (bundle,) = bundles(1)
    other = replace(bundle, specs=tuple(replace(spec, dataset_digest="0" * 20) for spec in bundle.specs))
    source = source_of([other])
    executor.run(source)
    assert [outcome.failure_kind for outcome in source.outcomes] == [FailureKind.DATA]


def test_an_executor_that_never_ran_closes_twice():
    from orchestrator.executors.ray_tune import RayTuneExecutor

    for made in (InlineExecutor(), RayTuneExecutor()):
        made.close()
        made.close()


def _with_epochs(bundle, n_epochs):
    from dataclasses import replace

    return [replace(spec, n_epochs=n_epochs) for spec in bundle.specs]


def _metrics(source):
    rows = sorted(source.rows, key=lambda row: (row["trial_id"], row["epoch"]))
    return [(row["trial_id"], row["epoch"], row["metric.nmi"]) for row in rows]
