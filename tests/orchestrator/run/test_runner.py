"""The runner: plan minus ledger, results durable before anyone is told, failures treated by kind."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.designs.around import around
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.price.budgets import Budget, Spending
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study, until_decided
from orchestrator.trial import MEMBERS_FILE, FailureKind
from trainables.members_file import name_members
from trainables.training.checkpoints import files

TOY = (str(Path(__file__).parents[1] / "toy"),)
FINITE = one_factor("toy", {"mode": ["worse"], "level": [0.1]})
SEARCH = search("toy", ("level",), n_configurations=12, n_seeds=2, round_size=4)
COSTS = ("cost.", "started_at", "finished_at", "bundle")


def study(design=FINITE, **changes):
    fields = {"datasets": ("gaussians",), "n_epochs": 3, "seeds": 8, "name": "toystudy"}
    return Study(question="does the toy work?", design=design, **{"margin": 0.02, **fields, **changes})


def run(asked, folder, executor=None, **options):
    """Run a study inline and return (runner, ledger's read view)."""
    with Ledger(folder, writable=True) as ledger:
        runner = Runner(plan_of(asked, Catalogue(TOY)), ledger, RunOptions(plugins=TOY, **options))
        (executor or InlineExecutor()).run(runner)
        runner.write_record()
    return runner, Ledger(folder).trials()


def truths(frame):
    """Return the rows without what may differ between two runs of the same trials."""
    kept = [column for column in frame if not column.startswith(COSTS)]
    return frame[kept].sort_values("trial_id").reset_index(drop=True)


class StopsAfter(InlineExecutor):
    """Dies silently after some bundles, in the middle of the next one."""

    def __init__(self, n_bundles):
        super().__init__()
        self.left = n_bundles

    def train(self, source, task):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        super().train(source, task)


def test_a_finite_study_trains_every_arm_on_every_seed_once(tmp_path):
    runner, rows = run(study(), tmp_path)
    assert runner.finished
    assert len(rows) == 3 * 8 == runner.progress.complete
    assert set(rows["state"]) == {"complete"}


def test_a_second_run_has_nothing_to_do_and_another_study_shares_the_trials(tmp_path):
    run(study(), tmp_path)
    again, rows = run(study(), tmp_path)
    assert again.progress.hits == 24
    assert again.progress.trained == 0
    other, rows = run(study(one_factor("toy", {"mode": ["same"]}), name="other"), tmp_path)
    assert (other.progress.hits, other.progress.trained) == (8, 8)
    assert len(rows) == 32


def test_more_seeds_train_only_the_new_ones(tmp_path):
    run(study(), tmp_path)
    runner, rows = run(study(seeds=10), tmp_path)
    assert (runner.progress.hits, runner.progress.trained, len(rows)) == (24, 6, 30)


def test_a_search_chooses_near_the_peak_and_the_ablation_runs_around_it_on_other_seeds(tmp_path):
    runner, rows = run(study(around(SEARCH, one_factor("toy", {"mode": ["worse"]}))), tmp_path)
    chosen = runner.schedule.searches[0].chosen["level"]
    tried = [proposal.values["level"] for proposal in runner.schedule.searches[0].rounds.proposals.values()]
    assert abs(chosen - 0.7) <= sorted(abs(value - 0.7) for value in tried)[1]  # noise may swap the first two
    assert {arm.arm.values["level"] for arm in runner.schedule.plan.arms} == {chosen}
    assert set(rows.loc[rows["seed_block"] == "search", "seed"]) == {0, 1}
    assert len(rows) == 12 * 2 + 2 * 8


def test_a_study_that_only_searches_is_finished_with_its_search(tmp_path):
    runner, rows = run(study(SEARCH, exploratory=True), tmp_path)
    assert runner.finished
    assert len(rows) == 12 * 2


SLOW = (pytest.mark.slow, pytest.mark.sample)


@pytest.mark.parametrize("n_bundles", [3, pytest.param(0, marks=SLOW), pytest.param(8, marks=SLOW)])
@pytest.mark.parametrize("n_ahead", [0, 1])
def test_a_killed_run_goes_on_to_the_rows_of_an_undisturbed_one(tmp_path, n_bundles, n_ahead):
    asked = study(around(replace(SEARCH, rounds_ahead=n_ahead), one_factor("toy", {"mode": ["worse"]})))
    undisturbed, whole = run(asked, tmp_path / "a")
    with pytest.raises(KeyboardInterrupt):
        run(asked, tmp_path / "b", StopsAfter(n_bundles))
    runner, rows = run(asked, tmp_path / "b")
    assert truths(rows).equals(truths(whole))
    assert runner.schedule.searches[0].chosen == undisturbed.schedule.searches[0].chosen
    assert runner.progress.trained + runner.progress.hits == len(whole)


class Preparing(InlineExecutor):
    """Uses every moment, or none."""

    def __init__(self, diligent):
        super().__init__()
        self.diligent = diligent

    def train(self, source, task):
        super().train(source, task)
        for _ in range(3 * self.diligent):
            source.prepare()


@pytest.mark.parametrize("n_ahead", [0, 2])
def test_what_a_search_asks_for_does_not_hang_on_when_it_is_asked(tmp_path, n_ahead):
    asked = study(around(replace(SEARCH, rounds_ahead=n_ahead), one_factor("toy", {"mode": ["worse"]})))
    lazy, rows = run(asked, tmp_path / "lazy", Preparing(False))
    diligent, same = run(asked, tmp_path / "diligent", Preparing(True))
    assert lazy.schedule.searches[0].rounds.proposals == diligent.schedule.searches[0].rounds.proposals
    assert truths(rows).equals(truths(same))


def test_a_bundle_that_waits_is_handed_out_before_the_search_thinks(tmp_path, monkeypatch):
    asked = study(replace(SEARCH, rounds_ahead=1, n_seeds=1), exploratory=True)
    with Ledger(tmp_path, writable=True) as ledger:
        runner = Runner(plan_of(asked, Catalogue(TOY)), ledger, RunOptions(plugins=TOY))
        rounds, executor, thought = runner.schedule.searches[0].rounds, Recording(), []

        def ask(ask=rounds.ask):
            handed = {trial_id for task in executor.tasks for trial_id in task.bundle.trial_ids}
            thought.append({trial.spec.trial_id for trial in runner.schedule.planned} - handed)
            return ask()

        monkeypatch.setattr(rounds, "ask", ask)
        executor.run(runner)
    assert thought == [set()]  # two rounds are there from the start; the third is asked for when nothing waits


class Recording(InlineExecutor):
    """Keeps the tasks that it was handed."""

    def __init__(self):
        super().__init__()
        self.tasks = []

    def train(self, source, task):
        self.tasks.append(task)
        super().train(source, task)


def stopped_after(asked, folder, n_reports):
    """Interrupt a run after some reports of its first bundle, and return that bundle's task."""
    executor = Recording()
    with Ledger(folder, writable=True) as ledger:
        runner = Runner(plan_of(asked, Catalogue(TOY)), ledger, RunOptions(plugins=TOY), lambda _: countdown())
        reports = iter(range(n_reports - 1))

        def countdown():
            if next(reports, None) is None:
                runner.stop("enough")

        executor.run(runner)
        assert len(ledger.checkpoints.unfinished()) == len(executor.tasks) == 1
    return executor.tasks[0]


def test_a_bundle_goes_on_as_it_was_though_some_of_its_members_have_ended(tmp_path):
    asked = study(one_factor("toy", {"trouble": ["nan"]}), n_epochs=4, failure_budget=1.0)
    _, undisturbed = run(asked, tmp_path / "quiet")
    first = stopped_after(asked, tmp_path / "b", n_reports=2)  # two of four diverge in epoch 2
    ended = Ledger(tmp_path / "b").states([spec.trial_id for spec in first.bundle.specs])
    assert len(ended) == 2
    executor = Recording()
    runner, rows = run(asked, tmp_path / "b", executor)
    again = executor.tasks[0]
    assert again.bundle.bundle_id == first.bundle.bundle_id
    assert {again.bundle.specs[member].trial_id for member in again.ended_members} == ended.keys()
    assert truths(rows).equals(truths(undisturbed))
    assert (runner.progress.hits, runner.progress.trained) == (2, 14)
    assert len(Ledger(tmp_path / "b").trials(view=False)) == 16
    assert Ledger(tmp_path / "b").checkpoints.unfinished() == []


def test_a_checkpoint_that_cannot_be_used_is_named_and_its_bundle_starts_afresh(tmp_path):
    first = stopped_after(study(), tmp_path, n_reports=2)
    files(tmp_path / "checkpoints" / first.bundle.bundle_id)[0].write_bytes(b"broken")
    runner, rows = run(study(), tmp_path)
    assert [note.split(":")[0] for note in runner.progress.notes] == [f"bundle {first.bundle.bundle_id} starts afresh"]
    assert set(rows["state"]) == {"complete"}


def test_half_a_bundle_that_was_interrupted_goes_on_as_half_a_bundle(tmp_path):
    with Ledger(tmp_path, writable=True) as ledger:
        runner = Runner(plan_of(study(), Catalogue(TOY)), ledger, RunOptions(plugins=TOY))
        whole = runner.next_task().bundle
        left = ledger.checkpoints.folder(whole.bundle_id)
        name_members(left, [spec.trial_id for spec in whole.specs])
        runner.lost(whole, FailureKind.TIMEOUT, "no progress")
        half = runner.next_task().bundle
        name_members(ledger.checkpoints.folder(half.bundle_id), [spec.trial_id for spec in half.specs])
        os.utime(left / MEMBERS_FILE, (1, 1))
    executor = Recording()
    runner, rows = run(study(), tmp_path, executor)
    assert executor.tasks[0].bundle.bundle_id == half.bundle_id
    assert len(Ledger(tmp_path).trials(view=False)) == len(rows) == 24
    assert left.exists()
    with Ledger(tmp_path, writable=True) as ledger:
        Runner(plan_of(study(), Catalogue(TOY)), ledger, RunOptions(plugins=TOY)).clear_up()
        assert ledger.checkpoints.unfinished() == []


def test_what_another_study_left_in_the_middle_stays_for_it(tmp_path):
    other = study(one_factor("toy", {"level": [0.9]}), n_epochs=4)
    task = stopped_after(other, tmp_path, n_reports=1)
    with Ledger(tmp_path, writable=True) as ledger:
        runner = Runner(plan_of(study(), Catalogue(TOY)), ledger, RunOptions(plugins=TOY))
        InlineExecutor().run(runner)
        runner.clear_up()
        assert ledger.checkpoints.unfinished() == [task.bundle.bundle_id]


def test_a_failure_that_is_tried_again_is_not_taken_from_the_checkpoint(tmp_path):
    asked = study(one_factor("toy", {"trouble": ["nan"]}), n_epochs=4, failure_budget=1.0)
    stopped_after(asked, tmp_path, n_reports=2)
    runner, rows = run(asked, tmp_path, retry_failed=frozenset([FailureKind.DIVERGED]))
    assert runner.progress.failed == {"diverged": 8}
    assert sorted(rows.loc[rows["state"] == "failed", "attempt"]) == [1] * 6 + [2] * 2
    assert set(rows.loc[rows["state"] == "complete", "attempt"]) == {1}


def test_failures_stay_visible_and_are_not_repeated_unless_asked(tmp_path):
    design = one_factor("toy", {"trouble": ["bug", "nan", "collapse"]})
    runner, rows = run(study(design, failure_budget=1.0), tmp_path)
    assert runner.progress.failed == {"bug": 8, "diverged": 8}
    assert runner.progress.collapsed == 8
    bugs = rows[rows["failure_kind"] == "bug"]
    assert bugs["error"].str.contains("a bug in the toy").all()
    assert rows["state"].value_counts().to_dict() == {"complete": 16, "failed": 16}  # nobody took the bundle along
    again, _ = run(study(design, failure_budget=1.0), tmp_path)
    assert again.progress.trained == 0
    retried, rows = run(study(design, failure_budget=1.0), tmp_path, retry_failed=frozenset([FailureKind.BUG]))
    assert retried.progress.failed == {"bug": 8}
    assert set(rows.loc[rows["failure_kind"] == "bug", "attempt"]) == {2}


def test_a_run_goes_on_after_bundles_that_have_rows_and_no_complete_member(tmp_path):
    run(study(), tmp_path)  # the baseline: what is left of the next study diverges, all of it
    runner, _ = run(study(one_factor("toy", {"trouble": ["nan"]}), failure_budget=1.0, name="nans"), tmp_path)
    assert runner.finished
    assert runner.progress.failed == {"diverged": 8}


def test_a_spent_failure_budget_stops_the_run_and_says_why(tmp_path):
    design = one_factor("toy", {"trouble": ["bug"], "mode": ["worse"]})
    runner, rows = run(study(design, failure_budget=0.1), tmp_path)
    assert runner.stop_reason.startswith("failure budget spent")
    assert "allowed are 10%" in runner.stop_reason
    assert len(rows) < 24


def test_a_lost_bundle_is_planned_again_and_given_up_in_the_end(tmp_path):
    with Ledger(tmp_path, writable=True) as ledger:
        runner = Runner(plan_of(study(), Catalogue(TOY)), ledger, RunOptions(plugins=TOY))
        first = runner.next_task().bundle
        runner.lost(first, FailureKind.INFRASTRUCTURE, "the worker died")
        assert runner.next_task().bundle.bundle_id == first.bundle_id  # whole, so that it finds its checkpoint
        runner.lost(first, FailureKind.INFRASTRUCTURE, "the worker died")
        half = runner.next_task().bundle
        assert half.specs == first.specs[: len(half)]
        assert len(half) == len(first) / 2
        runner.lost(half, FailureKind.INFRASTRUCTURE, "the worker died")
        states = ledger.trials().set_index("trial_id")
    assert set(states["failure_kind"]) == {"infrastructure"}
    assert set(states.index) == {spec.trial_id for spec in half.specs}


def test_a_sequential_study_stops_at_the_look_that_decides_it(tmp_path):
    decided, _ = run(study(one_factor("toy", {"mode": ["worse"]}), seeds=until_decided((8, 16, 32))), tmp_path / "a")
    assert decided.schedule.confirmation.n_seeds == 8
    asked = study(one_factor("toy", {"mode": ["same"]}), seeds=until_decided((8, 16)), margin=0.05)
    equivalent, _ = run(asked, tmp_path / "b")
    assert equivalent.schedule.confirmation.n_seeds == 8
    record, _ = Ledger(tmp_path / "a").studies.read("toystudy")
    assert [look["n_seeds"] for look in record["looks_taken"]] == [8]


SEVERAL = ("neighbour_mi", "oracle_nmi")


@pytest.mark.parametrize(
    ("pruner", "rule"),
    [("median", "neighbour_mi"), ("halving", "neighbour_mi"), ("hyperband", "neighbour_mi"), ("median", SEVERAL)],
)
def test_a_pruned_search_tells_optuna_and_keeps_the_pruned_rows(tmp_path, pruner, rule):
    pruning = search("toy", ("level",), n_configurations=12, n_seeds=2, round_size=4, pruner=pruner, rule=rule)
    asked = study(around(pruning, one_factor("toy", {"mode": ["worse"]})), n_epochs=6)
    runner, rows = run(asked, tmp_path)
    pruned = [told for told in runner.schedule.searches[0].rounds.told.values() if told.state == "pruned"]
    assert pruned
    assert all(told.curve for told in pruned)
    assert len(pruned) <= (rows["state"] == "pruned").sum() <= 2 * len(pruned)  # a seed may end before it is judged
    assert set(rows.loc[rows["seed_block"] == "confirm", "state"]) == {"complete"}  # what is compared is never pruned
    again, _ = run(asked, tmp_path)
    assert again.schedule.searches[0].chosen == runner.schedule.searches[0].chosen


def test_a_time_budget_stops_cleanly(tmp_path):
    runner, _ = run(study(), tmp_path, time_budget=1e-9)
    assert "time budget" in runner.stop_reason
    assert run(study(), tmp_path)[0].progress.complete == 24


def test_a_time_budget_counts_from_the_commands_beginning(tmp_path):
    runner, _ = run(study(), tmp_path, time_budget=3600.0, began=time.monotonic() - 3601.0)
    assert "time budget of 3600 s" in runner.stop_reason


def test_only_current_ignores_rows_of_other_code(tmp_path, monkeypatch):
    run(study(), tmp_path)
    known = Catalogue.method
    monkeypatch.setattr(Catalogue, "method", lambda self, name: replace(known(self, name), code_digest="other"))
    monkeypatch.setattr("orchestrator.discovery.code_of_method", lambda name, plugins: "other")
    assert run(study(), tmp_path)[0].progress.trained == 0
    assert run(study(), tmp_path, only_current=True)[0].progress.trained == 24


def test_a_spent_budget_stops_cleanly_and_the_study_goes_on_without_it(tmp_path):
    runner, _ = run(study(), tmp_path, spending=Spending(tmp_path, [Budget(1e-9)]))
    assert "budget of 1e-09 worker-hours of this command is spent" in runner.stop_reason
    assert runner.progress.complete < 24
    assert runner.worker_seconds.device_seconds
    assert run(study(), tmp_path)[0].progress.complete == 24 - runner.progress.complete
