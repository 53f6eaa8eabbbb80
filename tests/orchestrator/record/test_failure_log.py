"""What failures leave to read: whole tracebacks and last words, for failed bundles alone, bounded, found by trial."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cli import console
from orchestrator.designs.one_factor import one_factor
from orchestrator.executors.inline import InlineExecutor
from orchestrator.executors.ray_tune.worker_logs import last_words
from orchestrator.inspection.status import status
from orchestrator.inspection.trial_view import trial_view
from orchestrator.ledger import Ledger, logs
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.record.failure_log import MOST_IN_A_ROW
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study
from orchestrator.trial import FailureKind

TOY = (str(Path(__file__).parents[1] / "toy"),)
FIRST, SECOND = "a" * 20, "b" * 20


@pytest.fixture
def runner(tmp_path):
    design = one_factor("toy", {"trouble": ["bug", "collapse"]})
    asked = Study(
        question="?", design=design, datasets=("gaussians",), n_epochs=3, seeds=2, failure_budget=1.0, margin=0.02
    )
    with Ledger(tmp_path, writable=True) as ledger:
        yield Runner(plan_of(replace(asked, name="troubled"), Catalogue(TOY)), ledger, RunOptions(plugins=TOY))


def test_a_trial_shows_what_its_dead_process_said_though_another_attempt_was_complete(runner, tmp_path, capsys):
    task = runner.next_task()
    runner.lost(task.bundle, FailureKind.INFRASTRUCTURE, "the actor died", "thread 0 panicked")
    InlineExecutor().run(runner)
    runner.write_record()
    found = trial_view(tmp_path, task.bundle.specs[0].trial_id)
    assert [entry["what"] for entry in found["logs"]] == ["its process was lost: infrastructure"]
    assert found["train_again"] == f"orchestrate verify troubled --trial {found['trial_id']}"
    console.trial_text(found)
    assert "thread 0 panicked" in capsys.readouterr().out


def test_a_trial_that_has_no_row_yet_shows_how_its_process_died(runner, tmp_path, capsys):
    task = runner.next_task()
    runner.write_record()
    runner.lost(task.bundle, FailureKind.INFRASTRUCTURE, "the actor died", "thread 0 panicked")
    console.trial_text(trial_view(tmp_path, task.bundle.specs[0].trial_id[:12]))
    said = capsys.readouterr().out
    assert "no attempt has ended yet" in said
    assert "thread 0 panicked" in said


def test_only_what_failed_with_something_to_say_has_a_log(runner, tmp_path):
    InlineExecutor().run(runner)
    warned = {row for row in Ledger(tmp_path).trials().query("state == 'failed'")["trial_id"]}
    said = {path.stem for path in (tmp_path / "logs").glob("*")}
    bundles = set(Ledger(tmp_path).trials().query("state == 'failed'")["bundle_id"])
    assert len(warned) == 2
    assert said <= bundles


def test_a_row_has_the_ends_of_a_long_traceback_and_the_log_all_of_it(runner, tmp_path, monkeypatch):
    text = "x" * MOST_IN_A_ROW + " in the middle " + "y" * MOST_IN_A_ROW
    monkeypatch.setattr("traceback.format_exception", lambda error: ["Traceback: ", text, "\n at last"])
    InlineExecutor().run(runner)
    failed = Ledger(tmp_path).trials().query("state == 'failed'")
    (error,) = set(failed["error"])
    assert error.startswith("Traceback")
    assert error.endswith("at last")
    assert "in the middle" not in error
    assert len(error) < MOST_IN_A_ROW + 100
    runner.write_record()
    found = trial_view(tmp_path, failed["trial_id"].iloc[0])
    assert found["train_again"] == f"orchestrate run troubled --plugin {os.path.relpath(*TOY)} --retry-failed bug"
    (standing,) = status(tmp_path)
    assert [(row["kind"], row["error"]) for row in standing["examples"]] == [("bug", " at last")]
    (entry,) = Ledger(tmp_path).logs.of(failed["trial_id"].iloc[0])
    assert "in the middle" in entry.text


def test_entries_are_found_by_trial_in_the_order_of_their_coming(tmp_path):
    logs.add(tmp_path, "one", "failed: bug", [FIRST, SECOND], "=== looks like a heading\nend")
    logs.add(tmp_path, "one", "failed: data", [SECOND], "again")
    logs.add(tmp_path, "two", "failed: bug", [SECOND], "elsewhere")
    assert [entry.text for entry in logs.entries(tmp_path, FIRST)] == [" === looks like a heading\nend"]
    assert {entry.text for entry in logs.entries(tmp_path, SECOND)} >= {"again", "elsewhere"}
    assert logs.entries(tmp_path / "nowhere", FIRST) == []


def test_logs_are_bounded_in_size_and_number(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "MOST_FILES", 3)
    for number in range(12):
        logs.add(tmp_path, "grows", "failed: bug", [FIRST], f"{number:02}" + "é" * 40_000)
    assert (tmp_path / "logs/grows.log").stat().st_size <= logs.MOST_BYTES
    assert logs.entries(tmp_path, FIRST)[-1].text.startswith("11")
    for number in range(5):
        logs.add(tmp_path, f"b{number}", "failed: bug", [FIRST], "text")
    assert len(list((tmp_path / "logs").iterdir())) == 3


def test_the_last_words_of_a_process_elsewhere_are_pointed_at(tmp_path):
    (tmp_path / "worker-af-01-77.err").write_text("a warning\n")
    (tmp_path / "worker-af-01-77.out").write_text(":job_id:01\nprinted\n")
    assert last_words("died pid: 77 ip: 10.0.0.1", tmp_path, "10.0.0.1") == "printed\na warning"
    assert "lies on 10.0.0.2" in last_words("died pid: 77 ip: 10.0.0.2", tmp_path, "10.0.0.1")
    assert last_words("nobody knows", tmp_path, "10.0.0.1") == ""
    assert last_words("died pid: 78", tmp_path, "10.0.0.1") == ""
