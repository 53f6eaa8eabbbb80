"""The training loop: rows, failures, pruning and checkpoints, seen through methods made up for the purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from orchestrator.knobs import Choice, Float, knob
from orchestrator.row_table import from_stream
from orchestrator.trial import Bundle, BundleTask, FailureKind, Report, TrialSpec, TrialState
from trainables.data.dataset import Dataset
from trainables.method import FusedMethod, MethodConfig, Row
from trainables.randomness import Streams
from trainables.training import checkpoints, resumption
from trainables.training.bundle_training import BundleTraining
from trainables.training.loop import train

DATA = Dataset("four", torch.arange(4.0)[:, None], torch.tensor([0, 0, 1, 1]), 2)


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    lr: float = knob(0.1, Float(0.0, 1e30), fuses=True)
    fault: str = knob("none", Choice("none", "raises", "memory", "nan", "init"), fuses=True)


class Walk(FusedMethod):
    """A random walk of one weight a member; its fault strikes in the third epoch."""

    Config = Config
    member_state = ("weight", "streams")
    built: ClassVar[list[int]] = []

    def __init__(self, configs: Sequence[Any], seeds: Sequence[int], data: Dataset, device: torch.device) -> None:
        super().__init__(configs, seeds, data, device)
        Walk.built.append(len(self))
        self.streams = Streams(seeds, "walk")
        self.weight = self.streams.normal(3)
        if any(config.fault == "init" for config in configs):
            raise ValueError("cannot be built")

    def fit_epoch(self) -> None:
        self.weight = self.weight + self.column("lr")[:, None] * self.streams.normal(3)
        self.epoch += 1
        faults = [config.fault for config in self.configs] if self.epoch == 3 else []
        if "raises" in faults:
            raise ValueError(f"one of {len(self)} members is wrong")
        if "memory" in faults and len(self) > 1:
            raise torch.OutOfMemoryError("out of memory")
        for member, fault in enumerate(faults):
            if fault == "nan":
                self.weight[member] = torch.nan

    def evaluate(self, last: bool) -> list[Row]:
        rows = [{"metric.loss": float(weight.sum()), "diagnostic.odd": float("nan")} for weight in self.weight]
        return [row | {"metric.collapsed": 1.0} for row in rows] if last else rows


def specs(*faults: str, n_epochs: int = 5) -> tuple[TrialSpec, ...]:
    common = TrialSpec(
        method="walk", method_version=1, config={}, dataset="four", dataset_digest=DATA.digest, n_epochs=n_epochs
    )
    return tuple(
        replace(common, config={"lr": 0.1 * (place + 1), "fault": fault}, seed=place)
        for place, fault in enumerate(faults)
    )


def task(*faults: str, folder: str = "", prunable: bool = False, every: float = 1e9) -> BundleTask:
    bundle = Bundle(specs(*faults), prunable=prunable)
    return BundleTask(bundle=bundle, checkpoint_folder=folder, checkpoint_seconds=every, code_digest="abc")


class Receiver:
    """Holds what a runner would: rows and outcomes, forgotten when a report says restarted."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], float] = {}
        self.outcomes: dict[str, Any] = {}
        self.restarts = 0
        self.finished = False
        self.notes: list[str] = []

    def take(self, report: Report) -> None:
        assert not self.finished
        self.notes += [report.note] if report.note else []
        if report.restarted:
            self.rows, self.outcomes, self.restarts = {}, {}, self.restarts + 1
        if report.rows:
            for row in from_stream(report.rows).to_pylist():
                key = (row["trial_id"], row["epoch"])
                assert key not in self.rows
                self.rows[key] = row["metric.loss"]
        for outcome in report.outcomes:
            assert outcome.spec.trial_id not in self.outcomes
            self.outcomes[outcome.spec.trial_id] = outcome
        self.finished = report.finished


def received(todo: BundleTask, **options: Any) -> Receiver:
    receiver = Receiver()
    for report in train(Walk, todo, DATA, **options):
        receiver.take(report)
    return receiver


def alone(spec: TrialSpec) -> dict[tuple[str, int], float]:
    return received(BundleTask(bundle=Bundle((spec,)))).rows


def test_a_bundle_gives_rows_each_epoch_and_one_outcome_a_member() -> None:
    todo = task("none", "none")
    got = received(todo)
    assert got.finished and got.restarts == 0
    assert sorted(got.rows) == sorted((spec.trial_id, e) for spec in todo.bundle.specs for e in range(1, 6))
    for spec in todo.bundle.specs:
        outcome = got.outcomes[spec.trial_id]
        assert outcome.state is TrialState.COMPLETE and outcome.collapsed and outcome.attempt == 1
        assert outcome.metrics == {"loss": got.rows[spec.trial_id, 5], "collapsed": 1.0}
        assert outcome.cost["seconds"] > 0 and outcome.cost["peak_memory_bytes"] > 1e6
        assert outcome.cost["gpu_seconds"] == 0.0
        assert outcome.facts["bundle_id"] == todo.bundle.bundle_id and outcome.facts["bundle_size"] == 2
        assert outcome.facts["threads"] == 1 and outcome.facts["started_at"].endswith("+00:00")


def test_rows_are_an_arrow_stream_in_the_form_of_the_ledger() -> None:
    table = from_stream(next(iter(train(Walk, task("none", "none"), DATA))).rows)
    types = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert types == {
        "trial_id": "string", "attempt": "int32", "epoch": "int32", "seconds": "double",
        "metric.loss": "double", "diagnostic.odd": "double",
    }  # fmt: skip


def test_a_nan_member_has_diverged_and_the_others_do_not_notice() -> None:
    todo = task("none", "nan", "none")
    got = received(todo)
    first, poisoned, third = todo.bundle.specs
    assert got.outcomes[poisoned.trial_id].failure_kind is FailureKind.DIVERGED
    assert "metric.loss is nan after epoch 3" in got.outcomes[poisoned.trial_id].error
    assert (poisoned.trial_id, 2) in got.rows and (poisoned.trial_id, 3) not in got.rows
    for spec in (first, third):
        assert {key: row for key, row in got.rows.items() if key[0] == spec.trial_id} == alone(spec)
    assert got.restarts == 0


def test_an_exception_fails_the_member_that_causes_it_and_nobody_else() -> None:
    todo = task("none", "raises", "none")
    got = received(todo)
    first, guilty, third = todo.bundle.specs
    assert got.finished and got.restarts == 1
    outcome = got.outcomes[guilty.trial_id]
    assert outcome.state is TrialState.FAILED and outcome.failure_kind is FailureKind.BUG
    assert "Traceback" in outcome.error and "one of 1 members is wrong" in outcome.error
    for spec in (first, third):
        assert got.outcomes[spec.trial_id].state is TrialState.COMPLETE
        assert {key: row for key, row in got.rows.items() if key[0] == spec.trial_id} == alone(spec)


def test_a_member_that_cannot_be_built_fails_alone() -> None:
    got = received(task("none", "init"))
    assert [str(outcome.state) for outcome in got.outcomes.values()] == ["complete", "failed"]


def test_out_of_memory_halves_the_bundle_until_it_fits() -> None:
    Walk.built.clear()
    todo = task("none", "none", "none", "memory", "none")
    got = received(todo)
    assert all(outcome.state is TrialState.COMPLETE for outcome in got.outcomes.values())
    assert Walk.built == [5, 3, 2, 1, 1]
    for spec in todo.bundle.specs:
        assert {key: row for key, row in got.rows.items() if key[0] == spec.trial_id} == alone(spec)


def test_an_earlier_outcome_survives_a_restart_of_the_others() -> None:
    asked = iter([[2], [], [], [], []])
    got = received(task("none", "raises", "none", prunable=True), decide=lambda: next(asked, []))
    states = [str(outcome.state) for outcome in got.outcomes.values()]
    assert sorted(states) == ["complete", "failed", "pruned"] and got.restarts == 1


def test_pruned_members_leave_after_their_row_and_the_last_epoch_is_not_asked_about() -> None:
    todo = task("none", "none", "none", prunable=True)
    asked: list[list[int]] = [[], [1], [1], []]
    got = received(todo, decide=lambda: asked.pop(0))
    assert asked == []
    first, stopped, third = todo.bundle.specs
    assert got.outcomes[stopped.trial_id].state is TrialState.PRUNED
    assert got.outcomes[stopped.trial_id].metrics["loss"] == got.rows[stopped.trial_id, 2]
    assert (stopped.trial_id, 3) not in got.rows
    for spec in (first, third):
        assert {key: row for key, row in got.rows.items() if key[0] == spec.trial_id} == alone(spec)


def test_a_bundle_whose_members_are_all_pruned_is_finished() -> None:
    got = received(task("none", "none", prunable=True), decide=lambda: [0, 1])
    assert got.finished and {str(outcome.state) for outcome in got.outcomes.values()} == {"pruned"}


def test_decisions_are_not_asked_for_when_the_bundle_is_not_prunable() -> None:
    got = received(task("none"), decide=lambda: pytest.fail("asked"))
    assert got.finished


@pytest.mark.parametrize("faults", [("none", "none", "none"), ("none", "nan", "none"), ("none", "raises", "none")])
@pytest.mark.parametrize("stop_after", [1, 2, 3, 4, 6, 9])
def test_an_interrupted_bundle_goes_on_to_the_same_rows(
    tmp_path: Path, faults: tuple[str, ...], stop_after: int
) -> None:
    todo = task(*faults, folder=str(tmp_path / "bundle"))
    calls = iter(range(1, 1000))
    partial = received(todo, stopping=lambda: next(calls) == stop_after)
    later = replace(todo, bundle=replace(todo.bundle, attempts=(2, 2, 2)))
    whole = received(later)
    undisturbed = received(task(*faults))
    assert whole.finished and whole.rows == undisturbed.rows
    if not partial.finished:
        assert whole.restarts >= 1
    assert {i: o.state for i, o in whole.outcomes.items()} == {i: o.state for i, o in undisturbed.outcomes.items()}
    assert all(outcome.attempt == 2 for outcome in whole.outcomes.values())
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("faults", [("none", "none", "none"), ("none", "raises", "none")])
@pytest.mark.parametrize("stop_after", [1, 2, 4, 8])
def test_members_that_ended_since_the_checkpoint_are_not_trained_again(
    tmp_path: Path, faults: tuple[str, ...], stop_after: int
) -> None:
    todo = task(*faults, folder=str(tmp_path / "bundle"))
    calls = iter(range(1, 1000))
    received(todo, stopping=lambda: next(calls) == stop_after)
    whole = received(replace(todo, ended_members=(0,)))
    ended, *others = todo.bundle.specs
    undisturbed = received(task(*faults))
    assert whole.finished and {spec.trial_id for spec in others} <= whole.outcomes.keys()
    assert {key: row for key, row in undisturbed.rows.items() if key[0] != ended.trial_id} == {
        key: row for key, row in whole.rows.items() if key[0] != ended.trial_id
    }
    assert all(epoch <= stop_after for trial_id, epoch in whole.rows if trial_id == ended.trial_id)


def test_a_bundle_whose_members_have_all_ended_is_finished_at_once() -> None:
    got = received(replace(task("none", "none"), ended_members=(0, 1)))
    assert got.finished and not got.rows and not got.outcomes


def test_checkpoints_come_by_time_and_go_when_done(tmp_path: Path) -> None:
    todo = task("none", folder=str(tmp_path / "bundle"), every=0.0)
    seen = []
    for _ in train(Walk, todo, DATA):
        found = checkpoints.read(tmp_path / "bundle")
        seen.append(None if found is None else found.progress["epoch"])
    assert seen == [None, 1, 2, 3, 4] and not (tmp_path / "bundle").exists()


def test_a_slow_checkpoint_is_not_followed_by_the_next_before_it_was_worth_its_cost(tmp_path: Path) -> None:
    run = BundleTraining(Walk, task("none", folder=str(tmp_path / "bundle"), every=60.0), DATA)
    run.saved_at -= 61.0
    assert resumption.save_is_due(run)
    resumption.save(run)
    assert not resumption.save_is_due(run)
    run.saving_seconds = 3.0
    run.saved_at -= 61.0
    assert not resumption.save_is_due(run)
    run.saved_at -= 3.0 / resumption.SAVING_SHARE
    assert resumption.save_is_due(run)


def test_a_receiver_that_drops_the_generator_at_the_last_report_leaves_no_checkpoint(tmp_path: Path) -> None:
    reports = train(Walk, task("none", folder=str(tmp_path / "bundle"), every=0.0), DATA)
    while not next(reports).finished:
        pass
    del reports
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("change", ["damaged", "other code", "other bundle"])
def test_an_unusable_checkpoint_is_named_and_the_bundle_starts_afresh(tmp_path: Path, change: str) -> None:
    folder = tmp_path / "bundle"
    todo = task("none", "none", folder=str(folder))
    assert not received(todo, stopping=lambda: True).finished
    if change == "damaged":
        checkpoints.files(folder)[0].write_bytes(b"gone")
    elif change == "other code":
        todo = replace(todo, code_digest="def")
    else:
        todo = replace(todo, bundle=Bundle(specs("none", "none", n_epochs=4)))
    got = received(todo)
    assert got.finished and got.restarts == 0
    assert [note.partition(":")[0] for note in got.notes] == [f"bundle {todo.bundle.bundle_id} starts afresh"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "out_of_memory"),
        (ZeroDivisionError(), "diverged"),
        (ConnectionError(), "infrastructure"),
        (KeyError("x"), "bug"),
    ],
)
def test_failures_are_classified(error: Exception, kind: str) -> None:
    from trainables.training.failure_kinds import classified

    assert str(classified(error)) == kind


def test_decisions_that_raise_are_not_taken_for_a_failure_of_the_method() -> None:
    def broken() -> list[int]:
        raise ConnectionError("the actor died")

    with pytest.raises(ConnectionError):
        received(task("none", prunable=True), decide=broken)


def test_training_ends_when_its_bundle_was_handed_out_again_and_leaves_the_others_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    todo = replace(task("none", "none", folder=str(folder)), fence="1-1", checkpoint_seconds=0.0)
    training = train(Walk, todo, DATA)
    next(training)
    next(training)
    (only,) = checkpoints.files(folder)
    later = only.rename(folder / only.name.replace("1-1", "1-2"))
    assert not any(report.finished for report in training)
    assert checkpoints.files(folder) == [later]
