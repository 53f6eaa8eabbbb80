"""docs/architecture.md is true: what it names is there, and each of its questions is answered by the file it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

ANSWERED_BY = {
    "Where is decided that a seed is added?": "def may_stop",
    "Where is a bundle halved?": "def halves",
    "Where would a new metric go?": "nmi.py",
    "Where would a new method go?": "entropy.py",
    "Where would a new sampler go?": "tpe.py",
    "Where would a new executor go?": "inline.py",
    "Where are two arms refused that mean the same?": "def _refuse_twins",
    "Where is a trial_id made?": "def trial_id",
    "Where is decided whether a failure is tried again?": "POLICIES",
    "Where does `--set NAME=VALUE` take effect?": "def with_settings",
    "Where is a price computed?": "def price",
    "Where is decided how many members share a bundle?": "class BundleLimits",
    "Where is a member of a bundle trained again, alone, to compare?": "class EquivalenceGuard",
    "Where is a row made durable?": "def append",
    "Where is decided what is kept of a trial?": "class Keeping",
    "Where is the training loop?": "def train",
    "Where is a p-value computed?": "def sign_flip_p",
    "Where is a verdict put into words?": "def sentence",
    "Where is a configuration chosen without labels?": "def choose_configuration",
    "Where does a search begin from earlier configurations?": "def searches_of",
    "Where is the HTML report put together?": "def build",
}
"""Question -> what is found there: a definition in the file, or a file of the folder."""


def answers() -> dict[str, str]:
    """Return question -> place, from the page's last table."""
    table = PAGE.partition("## Where to look")[2]
    return dict(re.findall(r"^\| (Where .*?) \| `(.*?)` \|$", table, re.MULTILINE))


def test_the_page_answers_twenty_questions_or_more():
    assert answers().keys() == ANSWERED_BY.keys() and len(ANSWERED_BY) >= 20


@pytest.mark.parametrize("question", ANSWERED_BY)
def test_the_place_that_a_question_names_holds_the_answer(question):
    place, there = ROOT / answers()[question], ANSWERED_BY[question]
    assert (place / there).is_file() if place.is_dir() else there in place.read_text(encoding="utf-8")


def test_every_path_on_the_page_exists():
    named = set(re.findall(r"`((?:orchestrator|trainables|analysis|studies|tests|docs)/[\w/.]+)`", PAGE))
    assert len(named) > 20
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_every_object_of_the_page_is_defined_where_it_says():
    rows = re.findall(r"^\| `(\w+)` \|.*\| `(.*?)` \|$", PAGE.partition("## The files on disk")[0], re.MULTILINE)
    assert len(rows) >= 12
    for name, place in rows:
        path = ROOT / place
        texts = [one.read_text(encoding="utf-8") for one in (path.rglob("*.py") if path.is_dir() else [path])]
        assert any(name in text for text in texts), (name, place)
