"""Tables at 80 columns: an interval, a number or a name of usual length is never broken."""

import io

import pytest
from rich.console import Console

from orchestrator.cli import console
from orchestrator.run.progress import Progress

STATUS = {
    "study": "how_long_a_queue",
    "trials": 168,
    "complete": 160,
    "collapsed": 3,
    "pruned": 0,
    "failed": {"infrastructure": 4, "diverged": 1},
    "missing": 3,
    "seconds_spent": 1234.0,
    "seconds_left": 99.0,
    "examples": [{"trial_id": "a" * 20, "kind": "diverged", "error": "metric.nmi is nan after epoch 2"}],
    "running": "",
}


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 80 columns that remembers."""
    narrow = Console(width=80, record=True, highlight=False, file=io.StringIO())
    monkeypatch.setattr(console, "out", narrow)
    return lambda: [line.rstrip() for line in narrow.export_text().splitlines()]


def test_a_status_line_keeps_its_name_and_says_every_failure_kind(terminal):
    console.status_table([STATUS])
    lines = terminal()
    assert lines[1].split()[:5] == ["how_long_a_queue", "168", "160", "3", "5"]
    assert f"how_long_a_queue: 1 diverged, such as trial {'a' * 20}: metric.nmi is nan after epoch 2" in lines
    assert "pruned" not in lines[0]
    assert "missing" in lines[0]


def test_a_list_of_studies_and_a_price_keep_whole_names(terminal):
    name = "does_hard_regularization_depend_on_batch_size"
    row = {"name": name, "paper": "2301.11405", "methods": ["hard_regularization"], "trials": 80, "knobs": ["a.b"]}
    console.studies_table([{**row, "question": "Does it?"}])
    line = {"study": name, "trials": 10_000, "hits": 9_000, "missing": 1_000, "exploratory": False}
    console.all_plans_text({"studies": [{**line, "wall_seconds": [1.0, 1.0, 1.0]}], "sentences": []})
    lines = terminal()
    assert lines[:3] == [f"{name}  2301.11405, hard_regularization,", "80 trials", "  Does it?"]
    assert lines[-1].split() == [name, "10000", "9000", "1000", "1"]


def test_what_is_nowhere_in_a_folder_has_no_column(terminal):
    console.status_table([{**STATUS, "failed": {}, "examples": [], "missing": 0, "seconds_left": 0.0}])
    assert terminal()[0].split() == ["study", "trials", "complete", "collapsed", "spent"]


def test_a_run_begins_with_all_its_trials_what_is_known_and_its_price(terminal):
    progress = Progress()
    progress.announce(120, 20, {"wall_seconds": [600.0, 500.0, 700.0]})
    progress.planned(40, "search", 4)
    with console.watching("name", "Does it?", quiet=False) as watch:
        watch.planned(progress, finished=False)
    assert "120 trials, 20 of them already in the ledger; about 10 min by their price." in terminal()


def test_a_run_without_a_price_says_how_many_trials_it_takes(terminal):
    progress = Progress()
    progress.planned(40, "confirm", 0)
    with console.watching("name", "Does it?", quiet=False) as watch:
        watch.planned(progress, finished=False)
    assert "40 trials." in terminal()
