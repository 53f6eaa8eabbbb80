"""A finite design around what a search chose."""

from __future__ import annotations

import pytest

from orchestrator.designs.around import around
from orchestrator.designs.factorial import factorial
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.errors import RequestError

CHOSEN = {"lr": 0.3, "weight": 7.0}


def test_the_arms_are_those_of_the_design_on_top_of_the_choice(space):
    then = one_factor("entropy", {"loss": ["forward"]}, {"every": 4})
    found = around(search("entropy", ("lr", "weight")), then)
    assert found.arms(space, CHOSEN) == then.arms(space, CHOSEN)
    assert all(arm.values["lr"] == 0.3 and arm.values["every"] == 4 for arm in found.arms(space, CHOSEN))
    assert found.contrasts(found.arms(space, CHOSEN)) == then.contrasts(then.arms(space, CHOSEN))


def test_a_level_of_the_design_wins_over_the_choice(space):
    arms = around(search("entropy", ("lr",)), factorial("entropy", {"lr": (0.1, 1.0)})).arms(space, CHOSEN)
    assert [arm.values["lr"] for arm in arms] == [0.1, 1.0]


def test_it_searches_and_varies_knobs_of_one_method(space):
    found = around(search("entropy", ("lr",)), one_factor("entropy", {"loss": ["forward"]}))
    assert found.knobs == ("lr", "loss") and found.method == "entropy"
    with pytest.raises(RequestError, match="the search tunes 'secu' but the design varies 'entropy'"):
        around(search("secu", ("lr",)), one_factor("entropy", {"loss": ["forward"]}))


def test_an_earlier_study_may_have_chosen(space):
    found = around("entropy_search", one_factor("entropy", {"loss": ["forward"]}))
    assert found.knobs == ("loss",) and found.arms(space, CHOSEN)[0].values["weight"] == 7.0


def test_a_level_that_the_search_happened_to_choose_is_the_baseline_and_nothing_is_lost(space):
    found = around(search("entropy", ("lr",)), one_factor("entropy", {"lr": [0.3, 0.5]}))
    baseline, other = found.arms(space, CHOSEN)
    assert (baseline.also, other.name) == (("lr=0.3",), "lr=0.5")
    assert [one.name for one in found.contrasts([baseline, other])] == ["lr=0.5 vs baseline"]


@pytest.mark.parametrize(
    ("first", "then", "says"),
    [
        (None, None, "around: first = None is not allowed"),
        ("earlier", None, "around: then = None is not allowed; it is a finite design"),
        ("", one_factor("entropy", {}), "around: first = '' is not allowed"),
        ("earlier", search("entropy", ("lr",)), "it is a finite design"),
        ("earlier", around("other", one_factor("entropy", {})), "it is a finite design"),
    ],
)
def test_parts_that_are_none_are_refused_in_one_line(first, then, says):
    with pytest.raises(RequestError, match=says):
        around(first, then)
