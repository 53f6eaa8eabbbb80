"""What notebooks show: every part of an answer, and families of studies."""

from __future__ import annotations

import IPython.display
import pytest

from orchestrator.api import load_results
from orchestrator.api.shown import PARTS
from orchestrator.errors import UnknownNameError


@pytest.fixture
def displayed(monkeypatch):
    """What is displayed, as texts."""
    said = []
    monkeypatch.setattr(IPython.display, "display", lambda *shown: said.extend(str(one.data) for one in shown))
    return said


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_an_answer_is_shown(part, answer, displayed):
    found, _, _ = answer
    found.show(part)
    if part == "words":
        assert any(found.contrasts()["words"][0] in text for text in displayed)
    if part in ("table", "figures"):
        assert displayed


def test_a_part_that_there_is_not_is_named_with_those_that_there_are(answer):
    with pytest.raises(UnknownNameError, match=r"unknown part of an answer 'wrods'.*words"):
        answer[0].show("wrods")


def test_a_folder_shows_what_its_studies_say_together_and_family_by_family(answer, displayed):
    results = load_results(answer[2])
    results.show_across()
    results.show("across")
    before = len(displayed)
    results.show("entropy", paper="2301.11405")
    assert len(displayed) > before  # the paper's tables are there, whatever the folder has
