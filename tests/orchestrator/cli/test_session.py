"""One run of one study at a terminal: what ends it, what it may take, and that nothing is trained twice."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cli import session
from orchestrator.cli.options import RunOptions
from orchestrator.cli.session import CommandLimits, checked_plan, end_early, run_study
from orchestrator.designs.one_factor import one_factor
from orchestrator.errors import FailureBudgetError, InterruptedRunError, RequestError, UnknownNameError
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.run.progress import UNANSWERABLE
from orchestrator.study import Study

TOY = (str(Path(__file__).parent.parent / "toy"),)
STUDY = Study(
    question="does the mode matter?",
    name="modes",
    design=one_factor("toy", {"mode": ["worse"]}),
    datasets=("gaussians",),
    n_epochs=2,
    seeds=6,
    margin=0.02,
)


class Executor(InlineExecutor):
    """Trains in this process, and writes down what becomes of it."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def start(self):
        self.calls.append("start")
        super().start()

    def close(self):
        self.calls.append("close")
        super().close()


def options(folder, **changes):
    return RunOptions(results=folder, plugin=list(TOY), report=False, quiet=True, **changes)


def test_a_new_study_starts_its_executor_at_once_and_one_with_nothing_to_do_never(tmp_path, capsys):
    first, again = Executor(), Executor()
    run_study(STUDY, options(tmp_path), first)
    assert (first.calls[0], first.calls[-1]) == ("start", "close")
    assert len(Ledger(tmp_path).trials()) == 12
    capsys.readouterr()
    run_study(STUDY, options(tmp_path), again)
    assert again.calls == ["close"]
    assert "12 trials" in capsys.readouterr().out
    assert len(Ledger(tmp_path).trials(view=False)) == 12


def test_whatever_goes_wrong_the_executor_is_closed(tmp_path):
    executor = Executor()
    with pytest.raises(RequestError, match="seeds"):
        run_study(replace(STUDY, seeds=2), options(tmp_path), executor)
    assert executor.calls == ["close"]
    assert not tmp_path.joinpath("trials").exists()


def test_a_plan_that_no_seed_count_answers_is_refused():
    assert len(checked_plan(STUDY, Catalogue(TOY)).arms) == 2
    with pytest.raises(RequestError, match="at least 6"):
        checked_plan(replace(STUDY, seeds=3), Catalogue(TOY))


@pytest.mark.parametrize(
    ("reason", "error", "says"),
    [
        (f"{UNANSWERABLE} since", RequestError, UNANSWERABLE),
        ("failure budget of 10 % is used up", FailureBudgetError, "--retry-failed tries them again"),
        ("interrupted by SIGINT", InterruptedRunError, "SIGINT; nothing is lost"),
    ],
)
def test_why_a_run_ended_early_decides_what_the_command_ends_in(reason, error, says):
    with pytest.raises(error, match=says):
        end_early(reason)


def test_the_time_budget_is_one_for_the_whole_command(tmp_path, monkeypatch):
    limits = CommandLimits(options(tmp_path, time_budget=60.0))
    limits.require_time()
    now = time.monotonic()
    monkeypatch.setattr(session.time, "monotonic", lambda: now + 61)
    with pytest.raises(InterruptedRunError, match="the time budget of 60 s is spent; nothing is lost"):
        limits.require_time()
    CommandLimits(options(tmp_path)).require_time()  # without one


def test_a_failure_kind_that_is_none_is_refused_before_anything_is_trained(tmp_path):
    with pytest.raises(UnknownNameError, match="unknown failure kind 'luck'"):
        run_study(STUDY, options(tmp_path, retry_failed="luck"), Executor())
    assert not Ledger(tmp_path).complete(["x"])


FIRST = """
import sys
from orchestrator.cli import main

try:
    main(["run", *sys.argv[1:], "--tier", "quick", "--no-report"])
except SystemExit as left:
    print("torch" in sys.modules, left.code)
"""


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.parametrize(
    "asked", [["which_loss_leaves_collapse", "--set", "seeds=2"], ["search_entropy"]], ids=["arms", "a search"]
)
def test_a_first_run_does_not_hold_torch_in_the_driver_for_facts_that_nobody_knows(tmp_path, asked):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-c", FIRST, *asked, "--results", str(tmp_path / "results")]
    done = subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.split("\n")[-2] == "False 0"
    assert list((tmp_path / "cache").rglob("*.json"))
