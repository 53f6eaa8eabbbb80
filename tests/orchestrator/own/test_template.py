"""Places in a line, and how values are written."""

from __future__ import annotations

import pytest

from orchestrator.errors import RequestError
from orchestrator.own.template import places_in, put, split


def test_variables_before_the_program_are_its_environment():
    assert split("A=1 B='x y' python t.py", "mine") == (("python", "t.py"), {"A": "1", "B": "x y"})


def test_doubled_braces_are_braces():
    assert places_in(["{{a}} {b} {n-c}"]) == {"b", "n-c"}
    assert put("{{a}} {b}", {"b": 0.1}) == "{a} 0.1"


@pytest.mark.parametrize(
    ("value", "text"), [(1e-05, "1e-05"), (True, "true"), (None, "null"), ((64, 32), "[64, 32]"), ("x y", "x y")]
)
def test_values_are_written_as_json_and_texts_as_they_are(value, text):
    assert put("{v}", {"v": value}) == text


def test_an_empty_line_is_none():
    with pytest.raises(RequestError, match="is no command line"):
        split("A=1", "mine")
