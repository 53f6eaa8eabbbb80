"""One suite over every design found: finite, baseline first, arms that differ, contrasts that sum to zero."""

from __future__ import annotations

import importlib
import json
import pkgutil

import pytest

from orchestrator import designs
from orchestrator.designs.base import Design
from orchestrator.designs.components import Component
from orchestrator.designs.fixed import fixed
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.errors import RequestError
from orchestrator.knobs import Choice, Float, Int, Knob, canonical
from orchestrator.plan.arms import arms_of_design, contrasts_of
from orchestrator.study import Study

SPACE = {
    "a": Knob(1.0, Float(0.0, 10.0)),
    "b": Knob(0.1, Float(0.01, 1.0, log=True)),
    "c": Knob(2, Int(1, 16)),
    "d": Knob("x", Choice("x", "y")),
}
TWO = {"a": (0.5, 8.0), "b": (0.02, 0.9), "c": (1, 9)}
PARTS = {"p": Component(on={"a": 5.0}, off={"a": 0.0}), "q": Component(on={"d": "y"}, off={"d": "x"})}
SMALL = {
    "add_one_in": ("m", PARTS),
    "around": (search("m", ("b",)), one_factor("m", {"a": [0.5], "d": ["y"]})),
    "factorial": ("m", TWO),
    "fixed": ("m",),
    "fractional_factorial": ("m", TWO, {"c": ("a", "b")}),
    "grid": ("m", {"a": [0.5, 2.0, 8.0], "d": ["x", "y"]}),
    "leave_one_out": ("m", PARTS),
    "morris": ("m", ("a", "b", "c")),
    "one_factor": ("m", {"a": [0.5, 8.0], "d": ["y"]}),
    "search": ("m", ("a", "b")),
    "sobol": ("m", ("a", "b", "c")),
}
"""Design -> arguments of its function; a design that is found and not listed here fails `test_every_design_is_held`."""

FOUND = sorted(
    name
    for name in (info.name for info in pkgutil.iter_modules(designs.__path__))
    if hasattr(importlib.import_module(f"orchestrator.designs.{name}"), name)
)
"""Modules with a function of their own name; the others are parts of designs."""

FINITE = [name for name in FOUND if name != "search"]


def made(name):
    return getattr(importlib.import_module(f"orchestrator.designs.{name}"), name)(*SMALL[name])


def test_every_design_is_held():
    assert set(SMALL) == set(FOUND)


@pytest.mark.parametrize("name", FINITE)
def test_it_keeps_the_protocol(name):
    design = made(name)
    assert isinstance(design, Design) and design.method == "m" and set(design.knobs) <= set(SPACE)


@pytest.mark.parametrize("name", FINITE)
def test_arms_differ_have_names_of_their_own_and_one_baseline_comes_first(name):
    arms = made(name).arms(SPACE, {})
    configurations = [json.dumps(canonical(SPACE, arm.values)) for arm in arms]
    assert len(set(configurations)) == len(arms) == len({arm.name for arm in arms})
    assert [arm.role for arm in arms].count("baseline") == 1 and all(arm.method == "m" for arm in arms)
    if name != "fractional_factorial":  # a fraction need not hold the run of first levels
        assert arms[0].role == "baseline"


@pytest.mark.parametrize("name", FINITE)
def test_the_same_question_has_the_same_arms_whatever_came_before(name):
    assert made(name).arms(SPACE, {"b": 0.3}) == made(name).arms(SPACE, {"b": 0.3})


@pytest.mark.parametrize("name", FINITE)
def test_contrasts_weigh_only_its_arms_and_equal_arms_to_zero(name):
    design = made(name)
    arms = design.arms(SPACE, {})
    found = design.contrasts(arms)
    assert len({contrast.name for contrast in found}) == len(found)
    for contrast in found:
        assert set(contrast.weights) <= {arm.name for arm in arms}
        assert sum(contrast.weights.values()) == pytest.approx(0.0, abs=1e-12)
        assert sum(abs(weight) for weight in contrast.weights.values()) == pytest.approx(2.0)


@pytest.mark.parametrize("name", FINITE)
def test_what_a_search_chose_is_in_every_arm_that_does_not_vary_it(name):
    design = made(name)
    for arm in design.arms(SPACE, {"b": 0.3}):
        assert "b" in design.knobs or canonical(SPACE, arm.values)["b"] == 0.3


def planned(study):
    """The arms of a study on every dataset."""
    found = []
    for dataset in study.datasets:
        for place in range(len(study.designs)):
            found += arms_of_design(study, place, dataset, SPACE, {}, decided=True)
    return found


@pytest.mark.parametrize("name", [name for name in FINITE if name != "fixed"])
def test_it_survives_the_names_that_a_study_of_several_datasets_gives_its_arms(name):
    design = made(name)
    study = Study(question="?", design=design, datasets=("one", "two"), rivals=(fixed("m", "rival", a=9.0),))
    arms = planned(study)
    names = {arm.name for arm in arms}
    assert len(names) == len(arms)
    for one in contrasts_of(study, arms):
        assert set(one.contrast.weights) <= {name for name in names if name.endswith(f" @ {one.dataset}")}


@pytest.mark.parametrize("name", [name for name in FINITE if name not in ("fixed", "around")])
def test_an_unknown_base_value_is_refused_in_one_line(name):
    with pytest.raises(RequestError) as caught:
        made(name).arms(SPACE, {"speed": 1})
    assert "speed" in str(caught.value) and "\n" not in str(caught.value)


def test_a_second_design_over_the_method_keeps_its_own_baseline_and_a_rival_has_none():
    whole, bare = made("leave_one_out"), made("add_one_in")
    study = Study(question="?", design=whole, datasets=("one",), rivals=(bare, fixed("rival_method")))
    assert [one.contrast.name for one in contrasts_of(study, planned(study))] == [
        "without p vs baseline",
        "without q vs baseline",
        "m only p vs m baseline",
        "m only q vs m baseline",
        "m baseline vs baseline",
        "rival_method vs baseline",
    ]


def test_a_search_is_answered_by_a_sampler_and_not_by_arms():
    search = made("search")
    assert search.search is search and search.arms(SPACE, {}) == () and search.contrasts(()) == ()
