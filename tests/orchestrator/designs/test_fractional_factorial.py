"""Fractions of two-level factorials: aliases against published tables and against the columns that really coincide."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from orchestrator.designs.fractional_factorial import fractional_factorial
from orchestrator.errors import RequestError
from orchestrator.knobs import Float, Knob


def design_of(names, generators):
    return fractional_factorial("m", {name: (0.0, 1.0) for name in names}, generators)


def space_of(names):
    return {name: Knob(0.5, Float(0.0, 1.0)) for name in names}


PUBLISHED = [
    # (factors, generators, runs, resolution, aliases of A up to two factors): Montgomery, appendix table X
    ("ABC", {"C": "AB"}, 4, 3, ["B x C"]),
    ("ABCD", {"D": "ABC"}, 8, 4, []),
    ("ABCDE", {"E": "ABCD"}, 16, 5, []),
    ("ABCDE", {"D": "AB", "E": "AC"}, 8, 3, ["B x D", "C x E"]),
    ("ABCDEF", {"E": "ABC", "F": "BCD"}, 16, 4, []),
    ("ABCDEFG", {"D": "AB", "E": "AC", "F": "BC", "G": "ABC"}, 8, 3, ["B x D", "C x E", "F x G"]),
]


@pytest.mark.parametrize(("names", "generators", "runs", "resolution", "aliases"), PUBLISHED)
def test_runs_resolution_and_aliases_are_the_published_ones(names, generators, runs, resolution, aliases):
    design = design_of(names, generators)
    assert len(design.runs()) == len(set(design.runs())) == runs
    assert design.resolution == resolution
    assert design.aliases()["A"] == aliases


@pytest.mark.parametrize(("names", "generators", "runs", "resolution", "aliases"), PUBLISHED)
def test_aliases_are_exactly_the_products_whose_columns_coincide(names, generators, runs, resolution, aliases):
    design = design_of(names, generators)
    columns = np.array(design.runs())
    assert np.array_equal(columns.T @ columns, runs * np.eye(len(names)))  # main effects do not disturb each other
    for place, name in enumerate(names):
        same = [
            " x ".join(names[p] for p in pair)
            for pair in itertools.combinations(range(len(names)), 2)
            if place not in pair and np.array_equal(columns[:, list(pair)].prod(axis=1), columns[:, place])
        ]
        assert [word for word in design.aliases()[name] if " x " in word] == same


def test_effects_are_found_and_aliased_ones_are_named():
    design = design_of("ABC", {"C": "AB"})
    arms = design.arms(space_of("ABC"), {})
    y = {arm.name: 3.0 * arm.values["A"] - 2.0 * arm.values["B"] for arm in arms}
    found = {c.factor: sum(w * y[arm] for arm, w in c.weights.items()) for c in design.contrasts(arms)}
    assert found == pytest.approx({"A": 3.0, "B": -2.0, "C": 0.0})
    assert next(c.name for c in design.contrasts(arms)) == "effect of A (aliased with B x C)"


def test_the_low_run_is_the_baseline_if_the_fraction_holds_it():
    assert sum(arm.role == "baseline" for arm in design_of("ABC", {"C": "AB"}).arms(space_of("ABC"), {})) == 1
    (baseline,) = (a for a in design_of("ABCD", {"D": "ABC"}).arms(space_of("ABCD"), {}) if a.role == "baseline")
    assert set(baseline.values.values()) == {0.0}


@pytest.mark.parametrize(
    ("names", "generators", "says"),
    [
        ("ABC", {"D": "AB"}, "unknown generated factor of m 'D'"),
        ("ABCD", {"C": "AB", "D": "AC"}, "allowed are products of"),
        ("ABC", {"C": "AA"}, "allowed are products of"),
        ("ABC", {"C": "A"}, "has resolution 2"),
        ("ABCD", {"C": "AB", "D": "AB"}, "has resolution 2"),
    ],
)
def test_a_wrong_fraction_is_refused_in_one_line(names, generators, says):
    with pytest.raises(RequestError, match=says):
        design_of(names, generators).arms(space_of(names), {})
