"""Places on axes against Matplotlib's transforms, and numbers beside them for random ends (seeded)."""

import math
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.scale import SymmetricalLogTransform

from analysis.svg.figure import Axis, Figure
from analysis.svg.scales import Scale, scale_of, ticks_of
from analysis.svg.texts import width_of


def value_of(text):
    base, _, exponent = text.replace("−", "-").partition("^")
    return math.copysign(10.0 ** int(exponent), float(base)) if exponent else float(base)


def test_a_linear_axis_and_a_logarithmic_one_have_their_shares():
    assert Scale("linear", 2.0, 4.0).share([2.0, 3.0, 5.0]).tolist() == [0.0, 0.5, 1.5]
    assert Scale("linear", 4.0, 2.0).share([2.0, 3.0]).tolist() == [1.0, 0.5]
    assert Scale("log", 1.0, 100.0).share([1.0, 10.0, 100.0]).tolist() == pytest.approx([0.0, 0.5, 1.0])
    assert np.isnan(Scale("log", 1.0, 100.0).share([0.0, -1.0])).all()


def test_an_axis_around_zero_has_the_places_that_matplotlib_gives_it():
    moved = SymmetricalLogTransform(base=10, linthresh=0.5, linscale=1.0)
    values = np.array([-30.0, -0.5, -0.1, 0.0, 0.2, 0.5, 3.0, 70.0])
    ends = moved.transform(np.array([-30.0, 70.0]))
    expected = (moved.transform(values) - ends[0]) / (ends[1] - ends[0])
    assert np.allclose(Scale("symlog", -30.0, 70.0, 0.5).share(values), expected)


@pytest.mark.parametrize("kind", ["linear", "log", "symlog"])
@pytest.mark.parametrize("seed", range(40))
def test_numbers_say_where_they_stand_lie_on_the_axis_and_have_room(kind, seed):
    random = np.random.default_rng(seed)
    low = 10 ** random.uniform(-6, 4) * (1 if kind == "log" else random.choice([-1, 1]))
    high = low * 10 ** random.uniform(0.01, 6) if kind == "log" else low + 10 ** random.uniform(-5, 5)
    scale = Scale(kind, low, high, threshold=abs(low) / 10)
    length, across = random.uniform(60, 500), bool(seed % 2)
    ticks, _ = ticks_of(Axis(scale=kind), scale, length, 9.0, across=across)
    assert len(ticks) >= 1 and len({text for _, text in ticks}) == len(ticks)
    for place, text in ticks:
        assert scale.holds(place) and value_of(text) == pytest.approx(place, rel=1e-6, abs=1e-9)
    places = sorted((length * float(scale.share(place)), text) for place, text in ticks)
    for (here, text), (beyond, other) in pairwise(places):
        assert beyond - here > (0.5 * (width_of(text, 9.0) + width_of(other, 9.0)) if across else 9.0)


def test_names_stand_where_they_are_put_and_those_beyond_the_axis_are_left_out():
    axis = Axis()
    axis.name(range(3), ["a", "b", "c"])
    assert ticks_of(axis, Scale("linear", -0.5, 1.5), 100.0, 9.0, across=True)[0] == [(0.0, "a"), (1.0, "b")]


def test_an_axis_holds_all_marks_of_the_panels_that_share_it_with_room():
    figure = Figure(1, 2, (4.0, 2.0), share_y=True)
    (first, second), = figure.grid  # fmt: skip
    first.plot([0.0, 10.0], [1.0, 2.0], colour="#000")
    second.fill([5.0], [0.0], [np.nan], "#000", 0.5)
    shared = scale_of(figure, first.y)
    assert (shared.first, shared.last) == pytest.approx((-0.1, 2.1))
    assert (scale_of(figure, first.x).first, scale_of(figure, first.x).last) == pytest.approx((-0.5, 10.5))
    assert scale_of(figure, second.x).first < 5.0 < scale_of(figure, second.x).last


def test_an_axis_without_a_mark_goes_from_nothing_to_one():
    figure = Figure(1, 1, (4.0, 2.0))
    scale = scale_of(figure, figure.panels[0].x)
    assert (scale.first, scale.last) == pytest.approx((-0.05, 1.05))
