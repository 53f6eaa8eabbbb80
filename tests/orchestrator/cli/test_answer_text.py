"""An answer at 80 columns: first in one line; an interval, a number or a name of usual length is never broken."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from orchestrator.cli import answer_text, console

HEAD = ("data", "arm", "NMI (%) [95 %]", "works", "works vs baseline", "where both work [95 %]", "better on",
        "corrected p", "verdict", "seeds")  # fmt: skip
ROWS = (
    ("mnist_5k", "baseline", "50.1 [48.6, 51.6]", "12/12", "baseline", "", "", "", "", "12/12"),
    ("mnist_5k", "mi_gradient_descent", "32.5 [23.3, 41.6]", "8/12", "not told apart (0.29)", "−17.7 [−26.6, −19.0]*",
     "0/8", "0.005", "effect", "12/12"),
    ("digits", "baseline", "67.7 [64.1, 71.4]", "12/12", "baseline", "", "", "", "", "12/12"),
)  # fmt: skip


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 80 columns that remembers."""
    narrow = Console(width=80, record=True, highlight=False, file=io.StringIO())
    monkeypatch.setattr(console, "out", narrow)
    return lambda: [line.rstrip() for line in narrow.export_text().splitlines()]


@pytest.mark.parametrize("first", [0, 1])
def test_intervals_and_arms_stay_in_one_line(terminal, first):
    found = SimpleNamespace(head=HEAD[first:], rows=[row[first:] for row in ROWS])
    console.out.print(answer_text.arms_table(found))
    lines = terminal()
    for _, arm, metric, works, _, difference, *_ in ROWS:
        assert any(all(cell in line for cell in (arm, metric, works, difference)) for line in lines)
    assert sum(line in ("mnist_5k", "digits") for line in lines) == (2 if first == 0 else 0)
    assert len(lines) == 2 + len(ROWS) + (2 if first == 0 else 0)


LONG = (
    ("baseline", "0.585 [0.539, 0.631]", "12/12", "baseline", "", "", "", "", "12/12"),
    ("norm_weight=0.125", "1.66 [1.6, 1.73]", "12/12", "all work", "−0.00258 [−0.0474, +0.0438]*", "5/12",
     "not available", "inconclusive", "12/12"),
)  # fmt: skip


def test_where_intervals_leave_no_room_for_names_of_arms_they_stand_below_their_numbers(terminal):
    head = tuple(name.replace("NMI (%)", "neighbour MI") for name in HEAD[1:])
    console.out.print(answer_text.arms_table(SimpleNamespace(head=head, rows=LONG)))
    lines = terminal()
    (named,) = [place for place, line in enumerate(lines) if "norm_weight=0.125" in line]
    assert "1.66" in lines[named] and "−0.00258" in lines[named] and lines[named].endswith("–")
    assert "[1.6, 1.73]" in lines[named + 1] and "[−0.0474, +0.0438]*" in lines[named + 1]


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
    answer_text.answer(told())
    lines = terminal()
    assert lines[:2] == ["Does it?", "lr=1 −3.0 NMI."] and "Tally." in lines and "report: r.html" in lines
    assert not {"A note.", "• One is so.", "A look."} & set(lines)
    assert all(len(line) <= 80 for line in lines)
    answer_text.answer(told(), verbose=True)
    assert {"A note.", "• One is so.", "A look.", "Labels.", "It beats chance."} <= set(terminal())


def test_quiet_prints_question_and_answer_and_nothing_else(terminal):
    answer_text.answer(told(works=False), quiet=True)
    assert terminal() == ["Does it?", "lr=1 −3.0 NMI."]


def test_a_baseline_that_does_not_beat_chance_is_said_however_short_the_answer(terminal):
    answer_text.answer(told(works=False))
    assert "It beats chance." in terminal()
