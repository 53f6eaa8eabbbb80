"""Designs with arguments that nobody meant, or with factors drawn at random: refused by name, or arms that hold."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from odd_values import ODD, flag, knob_value, listed, mapped, or_refused, text, whole

from orchestrator.designs.base import Design
from orchestrator.designs.components import Component
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.domains import Choice, Float, Int, ListOf
from orchestrator.errors import RequestError
from orchestrator.knobs import Knob, canonical
from orchestrator.trial import canonical_json

SPACE = {
    "a": Knob(1.0, Float(0.0, 10.0)),
    "b": Knob(0.1, Float(0.01, 1.0, log=True)),
    "c": Knob(2, Int(1, 16)),
    "d": Knob("x", Choice("x", "y")),
    "e": Knob(1.0, Float(0.5, 5.0), when={"d": ("y",)}),
    "f": Knob((8,), ListOf(Int(1, 64), 1, 3)),
    "g": Knob(None, Float(0.0, 1.0, also=(None,), step=0.25)),
}
LEVELS = {
    "a": [0.0, 0.5, 1.0, 3.0],
    "b": [0.01, 0.3, 1.0],
    "c": [1, 2, 3.0],
    "d": ["x", "y"],
    "e": [0.5, 1.0, 2.5],
    "f": [(8,), [4, 4], (2, 2, 2)],
    "g": [None, 0.25, 1.0],
}
PARTS = {"p": Component(on={"a": 5.0}, off={"a": 0.0}), "q": Component(on={"d": "y"}, off={"d": "x"})}
TWO = {"a": (0.5, 8.0), "d": ("x", "y"), "c": (1, 9)}
SMALL: dict[str, dict[str, Any]] = {
    "add_one_in": {"method": "m", "components": PARTS, "base": None},
    "around": {"first": search("m", ("b",)), "then": one_factor("m", {"a": [0.5]})},
    "factorial": {"method": "m", "factors": TWO, "base": None, "interactions": True},
    "fixed": {"method": "m", "name": "n"},
    "fractional_factorial": {"method": "m", "factors": TWO, "generators": {"c": ("a", "d")}, "base": None},
    "grid": {"method": "m", "factors": TWO, "base": None, "trends": False},
    "leave_one_out": {"method": "m", "components": PARTS, "base": None},
    "morris": {"method": "m", "over": ("a", "b"), "n_trajectories": 4, "n_levels": 4, "base": None},
    "one_factor": {"method": "m", "factors": {"a": [0.5], "d": ["y"]}, "base": None},
    "search": {"method": "m", "over": ("a", "b"), "n_configurations": 2, "n_seeds": 2, "base": None},
    "sobol": {"method": "m", "over": ("a", "b"), "n_base": 4, "base": None},
}
FACTORS = mapped(lambda levels: listed(knob_value)(levels) or mapped(mapped(knob_value))(levels))


def even(value: Any) -> bool:
    return whole(2, 1_000)(value) and int(value) % 2 == 0


def power(value: Any) -> bool:
    return whole(2, 2**16)(value) and int(value) & (int(value) - 1) == 0


def names_of_knobs(value: Any) -> bool:
    return isinstance(value, list | tuple) and listed(text, distinct=True)(value)


def over(value: Any) -> bool:
    return names_of_knobs(value) or mapped(lambda given: given is None or isinstance(given, Float | Int | Choice))(
        value
    )


ORACLES = {
    "method": text,
    "name": lambda value: text(value, empty=True),
    "components": lambda value: mapped(lambda part: isinstance(part, Component))(value) or names_of_knobs(value),
    "base": lambda value: value is None or mapped(knob_value)(value),
    "factors": FACTORS,
    "interactions": flag,
    "trends": flag,
    "n_trajectories": whole(2, 10_000),
    "n_levels": even,
    "n_base": power,
    "n_configurations": whole(1, 100_000),
    "n_seeds": whole(1, 100_000),
}
"""Argument -> whether a design may be made with it; the others are looked at by what is made."""

ARGUMENTS = [(kind, name) for kind, arguments in SMALL.items() for name in arguments]
FACTOR_SETS = st.dictionaries(
    st.sampled_from(sorted(LEVELS)), st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True), max_size=4
).map(
    lambda chosen: {
        name: [LEVELS[name][place % len(LEVELS[name])] for place in places] for name, places in chosen.items()
    }
)
CASES = st.one_of(
    st.tuples(st.sampled_from(ARGUMENTS), ODD),
    st.tuples(st.sampled_from(["grid", "factorial", "one_factor"]), FACTOR_SETS),
)
"""((design, argument), value), or (design, factors)."""


def made(kind: str, arguments: dict[str, Any]) -> Design:
    function = getattr(importlib.import_module(f"orchestrator.designs.{kind}"), kind)
    design: Design = function(**arguments)
    return design


def check(case: tuple[Any, Any], results: Path) -> None:
    """Make the design and its arms; what is refused is one line that names the argument or the value."""
    where, value = case
    del results
    if isinstance(where, str):
        holds(made(where, {"method": "m", "factors": value}))
        return
    kind, name = where
    oracle = over if name == "over" else ORACLES.get(name)
    expected = None if oracle is None else oracle(value)
    if name == "over" and expected and not value:
        expected = None  # a search over nothing is refused when it is made, a screening when its arms are
    design = or_refused(lambda: made(kind, {**SMALL[kind], name: value}), names="", expected=expected)
    if design is not None:
        holds(design)


def holds(design: Design) -> None:
    """Assert that arms differ, stand for all cells and are contrasted to zero; or are refused in one line."""
    if design.most_arms > 10_000:
        return
    try:
        arms = design.arms(SPACE, {})
        contrasts = design.contrasts(arms)
    except RequestError as error:
        assert "\n" not in str(error)
        return
    means = [canonical_json(canonical(SPACE, arm.values)) for arm in arms]
    assert len(set(means)) == len(arms) == len({arm.name for arm in arms})
    assert sum(1 + len(arm.also) for arm in arms) <= design.most_arms or design.kind in ("morris", "sobol")
    names = {arm.name for arm in arms}
    for contrast in contrasts:
        assert set(contrast.weights) <= names
        assert sum(contrast.weights.values()) == pytest.approx(0.0, abs=1e-9)
        assert any(contrast.weights.values())
