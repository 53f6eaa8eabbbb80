"""Tables at 80 columns: an interval, a number or a name of usual length is never broken."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from orchestrator.cli import console

HEAD = ("data", "arm", "NMI (%) [95 %]", "works", "works vs baseline", "where both work [95 %]", "better on",
        "corrected p", "verdict", "seeds")  # fmt: skip
ROWS = (
    ("mnist_5k", "baseline", "50.1 [48.6, 51.6]", "12/12", "baseline", "", "", "", "", "12/12"),
    ("mnist_5k", "mi_gradient_descent", "32.5 [23.3, 41.6]", "8/12", "not told apart (0.29)", "−17.7 [−26.6, −19.0]*",
     "0/8", "0.005", "effect", "12/12"),
    ("digits", "baseline", "67.7 [64.1, 71.4]", "12/12", "baseline", "", "", "", "", "12/12"),
)  # fmt: skip
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


@pytest.mark.parametrize("first", [0, 1])
def test_intervals_and_arms_stay_in_one_line(terminal, first):
    found = SimpleNamespace(head=HEAD[first:], rows=[row[first:] for row in ROWS])
    console.out.print(console.arms_table(found))
    lines = terminal()
    for _, arm, metric, works, _, difference, *_ in ROWS:
        assert any(all(cell in line for cell in (arm, metric, works, difference)) for line in lines)
    assert sum(line in ("mnist_5k", "digits") for line in lines) == (2 if first == 0 else 0)
    assert len(lines) == 2 + len(ROWS) + (2 if first == 0 else 0)


def told(**changed):
    known = {
        "question": "Does it?",
        "short": "lr=1 −3.0 NMI.",
        "works": True,
        "footing": ("It beats chance.",),
        "head": HEAD,
        "rows": ROWS,
        "note": "A note.",
        "heading": "A heading.",
        "decisions": ("effect",),
        "sentences": ("One is so.",),
        "detectable": "Smallest.",
        "remarks": ("A look.",),
        "optimism": ("Labels.",),
        "published": (),
        "tally": "Tally.",
        "summary": "Summary.",
        "paths": {"report": "r.html"},
    }
    return SimpleNamespace(**{**known, **changed})


def test_the_answer_comes_first_and_the_long_sentences_only_if_asked_for(terminal):
    console.answer(told())
    lines = terminal()
    assert lines[:2] == ["Does it?", "lr=1 −3.0 NMI."] and "Tally." in lines and "report: r.html" in lines
    assert not {"A note.", "• One is so.", "A look."} & set(lines)
    assert all(len(line) <= 80 for line in lines)
    console.answer(told(), verbose=True)
    assert {"A note.", "• One is so.", "A look.", "Labels.", "It beats chance."} <= set(terminal())


def test_quiet_prints_question_and_answer_and_nothing_else(terminal):
    console.answer(told(works=False), quiet=True)
    assert terminal() == ["Does it?", "lr=1 −3.0 NMI."]


def test_a_baseline_that_does_not_beat_chance_is_said_however_short_the_answer(terminal):
    console.answer(told(works=False))
    assert "It beats chance." in terminal()


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
