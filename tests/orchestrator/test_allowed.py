"""Rules: one form of what a field may hold; a line with the place, the value and what is allowed for all else."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.allowed import (
    Checked,
    allowed,
    either,
    flag,
    many,
    mapping,
    number,
    one_of,
    optional,
    text,
    value,
    whole,
    word,
)
from orchestrator.errors import RequestError, UnknownNameError, shown

RULES = {
    "text": text(),
    "word": word(),
    "flag": flag(),
    "whole": whole(1, 9),
    "number": number(0, 1),
    "open": number(above=0, below=1),
    "one_of": one_of(("a", "b"), "letter"),
    "value": value(),
    "optional": optional(whole(1, 9)),
    "either": either(whole(1, 9), text()),
    "many": many(whole(1, 9), "whole numbers from 1 to 9", least=1),
    "mapping": mapping(value(), "name -> value"),
}


class Odd:
    def __repr__(self):
        raise RuntimeError("no text")


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.sampled_from([np.bool_(True), np.float32(2), np.array([1, 2]), Fraction(1, 3), len, range(3)])
    | st.booleans().map(lambda odd: Odd() if odd else 10**5000),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text() | st.integers(), part, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(RULES)), ANYTHING)
def test_a_rule_gives_one_form_or_one_line(name, anything):
    rule = RULES[name]
    try:
        once = rule.accept(anything, "place")
    except RequestError as error:
        assert "place" in str(error)
        assert str(error).isprintable()
        assert len(str(error)) < 600
    else:
        assert rule.accept(once, "place") == once


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("whole", "place = 10 is not allowed; it is a whole number from 1 to 9"),
        ("number", "place = 10 is not allowed; it is a number from 0 to 1"),
        ("open", "place = 10 is not allowed; it is a number above 0 and below 1"),
        ("optional", "place = 10 is not allowed; it is None, or a whole number from 1 to 9"),
        ("flag", "place = 10 is not allowed; it is True or False"),
        ("many", "place = 10 is not allowed; it is whole numbers from 1 to 9"),
    ],
)
def test_the_line_says_what_is_allowed(rule, says):
    with pytest.raises(RequestError) as caught:
        RULES[rule].accept(10, "place")
    assert str(caught.value) == says


def test_a_part_of_a_list_or_a_mapping_is_named_by_its_place():
    with pytest.raises(RequestError, match=r"place\[1\] = 10 is not"):
        RULES["many"].accept([1, 10], "place")
    with pytest.raises(RequestError, match=r"place\['a'\] = <built-in function len> is not"):
        RULES["mapping"].accept({"a": len}, "place")
    with pytest.raises(RequestError, match="a name in place = 3 is not"):
        RULES["mapping"].accept({3: 1}, "place")


def test_a_dataclass_checks_its_fields_when_it_is_made():
    @dataclass(frozen=True)
    class Order(Checked):
        n: int = field(default=1, metadata=allowed(whole(1, 9)))
        free: object = None

    assert Order(np.int64(3), "x").n == 3
    with pytest.raises(RequestError, match="Order: n = 0 is not allowed"):
        Order(0)


@given(ANYTHING)
def test_any_value_can_be_shown_in_one_short_line(anything):
    assert shown(anything).isprintable()
    assert len(shown(anything)) <= 80


def test_an_unknown_name_comes_with_the_nearest_and_with_all_if_there_are_few():
    many_names = [f"study_{place}" for place in range(40)] + ["quickstart"]
    assert str(UnknownNameError("study", "quickstar", many_names)) == (
        "unknown study 'quickstar'; the nearest: quickstart"
    )
    assert str(UnknownNameError("metric", "nmmi", ["acc", "nmi"])) == (
        "unknown metric 'nmmi'; the nearest: nmi; there are: acc, nmi"
    )
    assert str(UnknownNameError("metric", "Nmi", ["acc", "nmi"])).startswith("unknown metric 'Nmi'; the nearest: nmi")
    assert str(UnknownNameError("metric", 3, ["b", "a"])) == "unknown metric 3; there are: a, b"
    assert str(UnknownNameError("tier", "x", [])) == "unknown tier 'x'; there are: (none)"
