"""Domains: what they accept, what is no domain, and ranges within them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domains import Choice, Float, Int, ListOf, described, narrowed, value_at
from orchestrator.errors import RequestError

DOMAINS = [
    Float(0.0, 1.0),
    Float(1e-3, 10.0, log=True, also=(0.0, None)),
    Float(0.0, 1.0, step=0.1),
    Int(1, 100, log=True),
    Int(2, 11, step=3),
    Choice("a", None, (64, 64), 0.5, True),
    Choice("small", "medium", "large", ordered=True),
]


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_every_place_of_a_range_is_a_value_of_it(domain):
    units = [*np.linspace(0, 1, 21)]
    found = [value_at(domain, unit) for unit in units]
    assert [domain.accept(value) for value in found] == pytest.approx(found) if isinstance(domain, Float) else True
    assert all(domain.accept(value) is not None or value is None for value in found)
    assert [domain.accept(end) for end in domain.ends()] == list(domain.ends())


def test_a_step_leaves_its_values_only():
    tenths = Float(0.0, 1.0, step=0.1)
    assert [tenths.accept(place / 10) for place in range(11)] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert {value_at(tenths, unit) for unit in np.linspace(0, 1, 200)} == {place / 10 for place in range(11)}
    assert Int(2, 12, step=3).ends() == (2, 11)
    for domain, wrong in ((tenths, 0.15), (Int(2, 11, step=3), 3)):
        with pytest.raises(ValueError):
            domain.accept(wrong)


def test_none_is_a_value_where_the_domain_says_so():
    assert Float(0.0, 1.0, also=(None,)).accept(None) is None
    assert str(Int(1, 9, also=(None,))) == "a whole number from 1 to 9 or None"
    for domain in (Float(0.0, 1.0), Int(1, 9), Choice("a"), ListOf(Int(1, 9))):
        with pytest.raises(ValueError):
            domain.accept(None)


def test_a_list_is_a_tuple_of_values_of_one_domain():
    widths = ListOf(Int(1, 4096), 1, 3)
    assert widths.accept([64, 32.0]) == widths.accept(np.array([64, 32])) == (64, 32)
    for wrong in ([], [0], [1, 2, 3, 4], 64, "64", [[64]], None, [True]):
        with pytest.raises(ValueError):
            widths.accept(wrong)
    assert described(widths)["of"] == described(Int(1, 4096))


def test_a_bool_is_no_number_and_one_is_not_true():
    assert Choice(False, True).accept(np.bool_(True)) is True
    for domain, wrong in ((Choice(False, True), 1), (Choice(0, 1), True), (Int(0, 1), True), (Float(0, 1), False)):
        with pytest.raises(ValueError):
            domain.accept(wrong)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Float(1.0, 0.1), r"Float\(1.0, 0.1\) is not allowed; low is above high"),
        (lambda: Float(0, 2, log=True), r"Float\(0, 2, log=True\) is not allowed; a logarithmic range begins above 0"),
        (lambda: Int(1, 2.5), r"Int\(1, 2.5\) is not allowed; it takes two whole numbers, low and high"),
        (lambda: Float("a", "b"), "it takes two numbers"),
        (lambda: Float(None, None), "it takes two numbers"),
        (lambda: Float(0, float("inf")), "it takes two numbers"),
        (lambda: Float(0, 1, log="yes"), "it takes two numbers"),
        (lambda: Float(0, 1, step=0), "a step is above 0"),
        (lambda: Float(0, 1, step=2), "at most as long as the range"),
        (lambda: Float(1, 2, log=True, step=0.1), "a range that is not logarithmic"),
        (lambda: Float(0, 1, also=3), "also = 3; it lists single values"),
        (lambda: Int(0, 1, also=("x",)), "it lists single values"),
        (lambda: Int(0, 10**5000), "it takes two whole numbers"),
        (Choice, r"Choice\(\) is not allowed; it takes one option or several that differ"),
        (lambda: Choice(1, 1.0), "several that differ"),
        (lambda: Choice([1], (1,)), "several that differ"),
        (lambda: Choice({}), "several that differ"),
        (lambda: ListOf(3), "it takes Float, Int or Choice"),
        (lambda: ListOf(Int(1, 2), 3, 2), "the least and the largest length"),
    ],
)
def test_what_is_no_domain_is_refused_in_one_line(make, says):
    with pytest.raises(RequestError, match=says) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("own", "given_range", "says"),
    [
        (Int(1, 100), Float(1, 10), "the range of m.k is a number from 1 to 10, but the knob is a whole number"),
        (Float(0, 1), Float(0, 2), "the range of m.k ends at 2.0, outside its domain"),
        (Choice("a", "b"), Int(1, 2), "ends at 1, outside"),
        (ListOf(Int(1, 9)), None, "name some of them"),
        (ListOf(Int(1, 9)), Choice((1,), (99,)), r"ends at \(99,\), outside"),
    ],
)
def test_a_range_that_the_knob_cannot_take_is_refused(own, given_range, says):
    with pytest.raises(RequestError, match=says):
        narrowed(own, given_range, "m.k")


def test_a_range_is_without_the_single_values_outside_of_it():
    assert narrowed(Float(0.1, 1.0, also=(0.0,)), None, "m.k") == Float(0.1, 1.0)
    assert narrowed(Float(0.1, 1.0, step=0.1, also=(0.0,)), None, "m.k") == Float(0.1, 1.0, step=0.1)
    assert narrowed(ListOf(Int(1, 9)), Choice((1, 2), (3,)), "m.k") == Choice((1, 2), (3,))
    assert narrowed(Float(0.0, 9.0), Int(1, 3), "m.k") == Int(1, 3)


@given(st.floats(0.0, 1.0))
def test_an_ordered_choice_has_a_cell_for_each_option(unit):
    sizes = Choice("small", "medium", "large", ordered=True)
    assert value_at(sizes, unit) == ("small", "medium", "large")[min(int(3 * unit), 2)]
    assert described(sizes) == {"kind": "choice", "options": ["small", "medium", "large"], "ordered": True}
