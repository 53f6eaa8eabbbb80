"""Messages: one printable line, whatever is quoted in them, with the nearest name."""

import pickle

import pytest

from orchestrator.errors import OrchestratorError, RequestError, UnknownNameError, shown


@pytest.mark.parametrize("text", ["two\nlines", "a\x1b[2Jb", "\u202eright to left", "x" * 10_000])
def test_a_message_is_one_printable_line_of_bounded_length(text):
    line = str(OrchestratorError(text))
    assert line.isprintable()
    assert len(line) <= 2_000


def test_an_unknown_name_is_answered_with_the_nearest_one_whatever_its_case():
    said = str(UnknownNameError("method", "Entropi", ["entropy", "secu", "pipcdr"]))
    assert said == "unknown method 'Entropi'; the nearest: entropy; there are: entropy, pipcdr, secu"


def test_of_many_names_only_the_nearest_are_listed_unless_none_is_near():
    many = [f"name_{number}" for number in range(30)]
    assert "there are" not in str(UnknownNameError("knob", "name_31", many))
    assert "name_29" in str(UnknownNameError("knob", "zzz", many))
    assert str(UnknownNameError("knob", 3, [])) == "unknown knob 3; there are: (none)"


def test_an_unknown_name_reaches_another_process_as_the_line_that_it_is():
    error = UnknownNameError("method", "a", ["b"])
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is RequestError
    assert str(again) == str(error)


class Hostile:
    def __repr__(self):
        raise RuntimeError("no")


def test_any_value_can_be_shown():
    assert shown(Hostile()) == "a value of type Hostile"
    assert shown("a" * 200).endswith("...") and len(shown("a" * 200)) == 80
    assert shown([1, 2]) == "[1, 2]"
