"""Members trained again alone: what is checked, what a difference ends, and that all of it stays rare."""

import io
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from orchestrator.bundles.equivalence import AGAIN_AFTER, TRIALS_PER_CHECK, EquivalenceGuard
from orchestrator.cli import console
from orchestrator.designs.grid import grid
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study
from orchestrator.trial import Bundle, FailureKind, TrialOutcome, TrialSpec, TrialState

WRONG = (str(Path(__file__).parents[1] / "wrong"),)


class Recording(InlineExecutor):
    """Trains inline and remembers the bundles that it was given."""

    def __init__(self):
        super().__init__()
        self.bundles = []

    def train(self, source, task):
        self.bundles.append(task.bundle)
        super().train(source, task)


class DiesAtChecks(Recording):
    """Loses every bundle whose one member was trained before."""

    def train(self, source, task):
        known = {spec.trial_id for bundle in self.bundles for spec in bundle.specs}
        if task.bundle.specs[0].trial_id in known:
            source.lost(task.bundle, FailureKind.INFRASTRUCTURE, "the worker died")
        else:
            super().train(source, task)


def run(folder, faults, executor=None, seeds=8, **options):
    """Run a study of some faults; return (runner, executor's bundles, record)."""
    design = grid("wrong", {"fault": faults})
    fields = {"datasets": ("gaussians",), "n_epochs": 2, "failure_budget": 1.0, "name": "wrongstudy"}
    asked = Study(question="?", design=design, seeds=seeds, margin=0.02, **fields)
    executor = executor or Recording()
    with Ledger(folder, writable=True) as ledger:
        runner = Runner(plan_of(asked, Catalogue(WRONG)), ledger, RunOptions(plugins=WRONG, **options))
        executor.run(runner)
        runner.write_record()
        record, _ = ledger.studies.read("wrongstudy")
    return runner, executor.bundles, record["equivalence"]


def trained_twice(bundles):
    ids = [spec.trial_id for bundle in bundles for spec in bundle.specs]
    return len(ids) - len(set(ids))


def test_one_member_of_a_sound_shape_is_trained_again_once_and_fusing_goes_on(tmp_path):
    runner, bundles, record = run(tmp_path, ["none"])
    (check,) = record["checks"]
    assert check["equal"] and check["says"] == "" and check["bundle_size"] == 4
    assert [len(bundle) for bundle in bundles] == [4, 1, 4]
    assert bundles[1].specs[0] in bundles[0].specs
    assert runner.finished and runner.progress.complete == 8 and not runner.progress.notes
    assert len(Ledger(tmp_path).trials()) == 8  # a check is no attempt of its own
    assert not Ledger(tmp_path).checkpoints.unfinished()


@pytest.mark.parametrize("fault", ["neighbours", "late", "alone"])
def test_a_difference_ends_fusing_for_its_shape_and_leaves_others_alone(tmp_path, fault):
    runner, bundles, record = run(tmp_path, [fault, "none"], seeds=12)
    of_fault = [bundle for bundle in bundles if bundle.specs[0].config["fault"] == fault]
    assert [len(bundle) for bundle in of_fault] == [4] + [1] * 9  # the check, and 8 trials that were still to come
    assert {len(b) for b in bundles if b.specs[0].config["fault"] == "none"} == {4}
    assert [(check["equal"], check["method"]) for check in record["checks"]] == [(False, "wrong")]
    assert runner.progress.trained == 24
    (note,) = runner.progress.notes
    expected = {"neighbours": "metric.loss after epoch 1", "late": "after epoch 2", "alone": "failed (bug) alone"}
    assert expected[fault] in note and "bundle of 4" in note and "trained alone" in note


def test_what_was_found_holds_for_the_next_command_and_is_not_repeated(tmp_path):
    run(tmp_path, ["neighbours", "none"])
    _, bundles, record = run(tmp_path, ["neighbours", "none"], seeds=16)
    sizes = {
        fault: [len(b) for b in bundles if b.specs[0].config["fault"] == fault] for fault in ("neighbours", "none")
    }
    assert sizes == {"neighbours": [1] * 8, "none": [4, 1, 4]}
    assert [check["equal"] for check in record["checks"]] == [
        False,
        True,
    ]  # the second had no room in the first command
    _, bundles, again = run(tmp_path, ["neighbours", "none"], seeds=20)
    assert trained_twice(bundles) == 0 and again["checks"] == record["checks"]


def test_off_the_cpu_only_the_first_losses_are_compared_and_may_differ_a_little(tmp_path):
    spec = TrialSpec(method="m", method_version=1, config={}, dataset="d", dataset_digest="x")
    for bend, equal in ((1e-7, True), (1e-3, False)):
        guard = EquivalenceGuard(lambda one: "shape", {}, exact=False)
        pair = Bundle((spec, replace(spec, seed=1)))
        guard.handed_out(pair)
        check = guard.ended(pair, {one.trial_id for one in pair.specs}, rows(pair, 0.0))
        outcome = TrialOutcome(spec=check.specs[0], attempt=1, state=TrialState.COMPLETE)
        assert (guard.judge(check, outcome, rows(check, bend)) == "") is equal
        assert guard.alone(spec) is not equal


def rows(bundle, bend):
    """Two epochs: the loss off by `bend`, the second epoch and the accuracy by far."""
    lines = [
        {"trial_id": spec.trial_id, "epoch": epoch, "metric.loss": 2.0 + bend + (epoch - 1) * bend * 1e6}
        | {"metric.acc": 0.5 + 1e3 * bend, "seconds": 1.0 + bend, "diagnostic.gap": None}
        for spec in bundle.specs
        for epoch in (1, 2)
    ]
    return pa.Table.from_pylist(lines)


def test_a_check_whose_worker_dies_says_nothing_and_another_bundle_is_checked(tmp_path):
    runner, bundles, record = run(tmp_path, ["neighbours"], DiesAtChecks())
    assert record == {"checks": [], "trials_since": {}}
    assert [len(bundle) for bundle in bundles] == [4, 4] and runner.progress.complete == 8


def test_checks_are_at_most_one_and_a_hundredth_of_the_trials_and_come_again_for_a_shape():
    guard = EquivalenceGuard(lambda one: str(one.config["shape"]), {}, exact=True)
    begun = []
    for place in range(800):
        specs = [
            TrialSpec(method="m", method_version=1, config={"shape": place % 7}, dataset="d", dataset_digest="", seed=n)
            for n in range(4 * place, 4 * place + 4)
        ]
        bundle = Bundle(tuple(specs))
        guard.handed_out(bundle)
        check = guard.ended(bundle, {spec.trial_id for spec in specs}, rows(bundle, 0.0))
        if check is not None:
            begun.append(place % 7)
            outcome = TrialOutcome(spec=check.specs[0], attempt=1, state=TrialState.COMPLETE)
            assert guard.judge(check, outcome, rows(check, 0.0)) == ""
        assert len(begun) <= 1 + 4 * (place + 1) / TRIALS_PER_CHECK
    assert set(begun) == set(range(7))  # 3,200 trials, 457 of each shape: nothing is due twice
    assert len(begun) == 7 < 3200 / AGAIN_AFTER * 7


def test_a_bundle_without_a_complete_member_leaves_the_check_to_the_next(tmp_path):
    guard = EquivalenceGuard(lambda one: "shape", {}, exact=True)
    spec = TrialSpec(method="m", method_version=1, config={}, dataset="d", dataset_digest="x")
    pairs = [Bundle(tuple(replace(spec, seed=s) for s in (n, n + 1))) for n in (0, 2)]
    guard.handed_out(pairs[0])
    assert guard.ended(pairs[0], set(), None) is None
    guard.handed_out(pairs[1])
    assert guard.ended(pairs[1], {pairs[1].specs[1].trial_id}, rows(pairs[1], 0.0)).specs == pairs[1].specs[1:]


def test_the_terminal_says_it_once_unless_it_is_read_by_a_program(tmp_path, monkeypatch):
    runner, _, _ = run(tmp_path, ["neighbours"])
    note = runner.progress.notes[0]
    for quiet in (True, False):
        shown = io.StringIO()
        monkeypatch.setattr(console, "out", Console(file=shown, width=1000))
        runner.progress.notes = [note]
        watch = console.Watch(runner.study.name, runner.study.question, quiet)
        watch.update(runner.progress)
        watch.update(runner.progress)
        assert shown.getvalue().count("Training together changed numbers") == (not quiet)
