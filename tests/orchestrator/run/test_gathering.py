"""Reports that wait to be made durable together: which may, for how long, and that nobody is told before."""

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.designs.one_factor import one_factor
from orchestrator.executors.worker import reports
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run import gathering
from orchestrator.run.gathering import Gathering
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study
from orchestrator.trial import Bundle, FailureKind, Report, TrialOutcome, TrialSpec, TrialState

TOY = (str(Path(__file__).parents[1] / "toy"),)


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 0.0

    monkeypatch.setattr(gathering, "clock", lambda: Clock.now)
    return Clock


def _ended(state=TrialState.COMPLETE, **changes):
    spec = TrialSpec(method="toy", method_version=1, config={}, dataset="d", dataset_digest="")
    return Bundle((spec,)), Report(
        outcomes=(TrialOutcome(spec=spec, attempt=1, state=state),), finished=True, **changes
    )


def test_a_plain_report_waits_where_many_bundles_are_open(clock):
    gathered = Gathering()
    bundle, report = _ended()
    assert gathered.waits(bundle, report, gathering.MANY_OPEN)
    assert len(gathered) == 1 and not gathered.due
    assert gathered.take() == [(bundle, report)] and not len(gathered)


@pytest.mark.parametrize(
    "change",
    [{"state": TrialState.FAILED}, {"note": "x"}, {"restarted": True}, {"out_of_memory": 2}],
)
def test_whatever_says_more_is_taken_at_once(clock, change):
    assert not Gathering().waits(*_ended(**change), gathering.MANY_OPEN)


def test_of_few_bundles_of_prunable_ones_and_of_those_that_go_on_each_report_is_taken_at_once(clock):
    bundle, report = _ended()
    assert not Gathering().waits(bundle, report, gathering.MANY_OPEN - 1)
    assert not Gathering().waits(replace(bundle, prunable=True), report, 1000)
    assert not Gathering().waits(bundle, replace(report, finished=False), 1000)


def test_reports_are_due_when_they_are_many_or_the_first_has_waited(clock):
    gathered, (bundle, report) = Gathering(), _ended()
    gathered.waits(bundle, report, 1000)
    clock.now = gathering.MOST_SECONDS - 0.01
    assert not gathered.due
    clock.now = gathering.MOST_SECONDS
    assert gathered.due
    gathered.take()
    for _ in range(gathering.MOST_REPORTS):
        assert not gathered.due
        gathered.waits(bundle, report, 1000)
    assert gathered.due


class Many:
    """A runner with all bundles of a study under way, one trial each, and the last reports of their workers."""

    def __init__(self, folder, monkeypatch):
        monkeypatch.setattr(gathering, "MANY_OPEN", 3)
        design = one_factor("toy", {"level": [0.1]})
        study = Study(
            question="?", design=design, margin=0.02, datasets=("gaussians",), n_epochs=2, seeds=6, name="many"
        )
        self.ledger = Ledger(folder, writable=True)
        self.ledger.__enter__()
        self.runner = Runner(plan_of(study, Catalogue(TOY)), self.ledger, RunOptions(plugins=TOY))
        self.tasks = []
        while (task := self.runner.next_task()) is not None:
            self.tasks.append(task)

    def finish(self, task):
        for report in reports(task, None, lambda: False):
            self.runner.report(task.bundle, report)

    @property
    def durable(self):
        return len(self.ledger.trials())


@pytest.fixture
def many(tmp_path, monkeypatch, clock):
    made = Many(tmp_path, monkeypatch)
    yield made
    made.ledger.close()


def test_nobody_is_told_of_a_trial_before_it_is_durable(many, clock):
    many.finish(many.tasks[0])
    told = many.runner.progress.complete
    assert told == many.durable
    clock.now += gathering.MOST_SECONDS
    many.runner.prepare()
    assert many.runner.progress.complete == many.durable == len(many.tasks[0].bundle)


def test_the_last_ones_are_taken_though_nothing_comes_any_more(many):
    for task in many.tasks:
        many.finish(task)
    while not many.runner.finished:  # a member is trained again alone
        many.finish(many.runner.next_task())
    assert many.durable == sum(len(task.bundle) for task in many.tasks) == many.runner.progress.complete


@pytest.mark.parametrize("what", ["stop", "lost", "write_record", "next_task"])
def test_what_needs_to_know_takes_them_first(many, what):
    many.finish(many.tasks[0])
    runner, other = many.runner, many.tasks[1].bundle
    if what == "stop":
        runner.stop("enough")
        assert runner.stopping
    elif what == "lost":
        runner.lost(other, FailureKind.INFRASTRUCTURE, "gone")
    elif what == "write_record":
        runner.write_record()
    else:
        runner.next_task()
    assert many.durable == len(many.tasks[0].bundle)
