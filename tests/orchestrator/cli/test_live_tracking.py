"""Trackers beside a run get every trial, however their process ends; a wrong one is refused before that."""

import sys

import pytest

from orchestrator.cli.commands import main
from orchestrator.ledger import Ledger

STUDY = '''"""?"""
from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study

STUDY = Study(question="?", design=one_factor("kmeans", {"n_init": [2]}), datasets=("gaussians",), n_epochs=1, seeds=3,
              exploratory=True)
'''

TRACKER = '''"""Notes when a trial comes, and in which process."""
import os


class TRACKER:
    def __init__(self, target):
        self.target = target

    of = classmethod(lambda cls, target: cls(target))

    def has(self, trial):
        return (self.target / trial.key).is_file()

    def write(self, trial):
        self.target.mkdir(parents=True, exist_ok=True)
        (self.target / trial.key).write_text(str(os.getpid()))

    def look(self):
        return "ls"

    def close(self):
        pass
'''


def status(*arguments):
    with pytest.raises(SystemExit) as left:
        main([str(one) for one in arguments])
    return left.value.code


@pytest.fixture(name="asked")
def asked_run(tmp_path):
    """Return the arguments of a run with a plugin folder."""
    (tmp_path / "asked.py").write_text(STUDY)
    (tmp_path / "mine" / "trackers").mkdir(parents=True)
    (tmp_path / "mine" / "trackers" / "noted.py").write_text(TRACKER)
    options = ("--address", "inline", "--no-report", "--results", tmp_path / "results", "--plugin", tmp_path / "mine")
    return ("run", tmp_path / "asked.py", *options)


def test_every_trial_is_there_when_the_command_ends_and_the_rows_are_as_without(asked, tmp_path, capsys):
    assert status(*asked, "--tracker", f"noted={tmp_path / 'shown'}", "--tracker", "noted") == 0
    trials = Ledger(tmp_path / "results").trials()
    keys = {f"{trial_id}-1" for trial_id in trials["trial_id"]}
    for place in (tmp_path / "shown", tmp_path / "results" / "trackers" / "noted"):
        assert {path.name for path in place.iterdir()} == keys
    assert "6 trials in" in capsys.readouterr().out


def test_a_tracker_that_fails_in_its_process_is_said_at_the_end_and_costs_no_row(asked, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert status(*asked, "--tracker", f"noted={tmp_path / 'file'}") == 2
    assert f"--noted '{tmp_path / 'file'}' cannot be written" in capsys.readouterr().err
    assert len(Ledger(tmp_path / "results").trials()) == 6


@pytest.mark.parametrize(
    ("tracker", "says"), [("nottd", "unknown tracker 'nottd'"), ("=x", "is not NAME=DIR"), ("mlflow", "pip install")]
)
def test_a_wrong_tracker_is_refused_before_anything_trains(asked, tmp_path, capsys, monkeypatch, tracker, says):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert status(*asked, "--tracker", tracker) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "results" / "trials").exists()
