import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.data import study_view
from analysis.figures.forest import MOST_TICKS, Row, axis_of, forest_of
from analysis.verdicts.verdicts import verdicts

NUMBERS = st.floats(-1e6, 1e6).map(lambda value: round(value, 6))


def row(centre, low=math.nan, high=math.nan, dots=()):
    return Row(key="a", label="a", decision="effect", words="", centre=centre, low=low, high=high, value="", dots=dots)


@pytest.fixture(scope="module")
def found(synthetic):
    return verdicts(study_view.load(synthetic.results, synthetic.name))


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=6))
def test_an_axis_holds_zero_and_every_interval_in_order(values):
    rows = [row(sorted(one)[1], min(one), max(one)) for one in values]
    axis = axis_of(rows)
    assert axis.low < 0 < axis.high
    for one in rows:
        assert 0 < axis.place(one.low) <= axis.place(one.centre) <= axis.place(one.high) < 100


@given(st.lists(NUMBERS, min_size=1, max_size=6))
def test_ticks_are_few_and_within_the_axis(values):
    axis = axis_of([row(value) for value in values])
    assert 1 <= len(axis.ticks) <= MOST_TICKS
    assert all(axis.low <= value <= axis.high for value, _ in axis.ticks)


def test_a_single_seed_far_out_is_drawn_at_the_edge_and_does_not_squeeze_the_rest():
    axis = axis_of([row(1.0, 0.5, 1.5, dots=(0.9, 1.1, 500.0))])
    assert axis.high < 10 and axis.place(500.0) == 100.0


def test_without_anything_known_there_is_still_an_axis():
    axis = axis_of([row(math.nan)])
    assert axis.low < 0 < axis.high


def test_every_contrast_has_both_parts_in_its_row(found):
    forest = forest_of(found, "nmi", margin=0.01, several=False)
    assert [one.sentence for one in forest.rows] == [one.sentence for one in found]
    for drawn, verdict in zip(forest.rows, found, strict=True):
        working = verdict.judgement.working
        assert drawn.works.n == working.n_seeds
        assert drawn.works.first == working.n_seeds - working.not_working[0]
        assert len(drawn.dots) == len(verdict.judgement.living.differences)
    assert forest.axis.margin == pytest.approx(1.0) and forest.groups == ("",)


def test_a_mark_stands_where_its_number_says(found):
    forest = forest_of(found, "nmi", margin=None, several=False)
    known = [one for one in forest.rows if not math.isnan(one.centre)]
    assert known
    for one in known:
        assert float(one.value.replace("−", "-")) == pytest.approx(one.centre, abs=0.051)


def test_the_axis_names_the_arm_that_all_are_set_against_whatever_their_datasets(found):
    one = next(one for one in found if one.contrast.kind == "difference")
    alone = forest_of([one], "nmi", margin=None, several=False).axis.label
    assert alone.endswith(", against baseline")
    minus, plus = one.contrast.weights
    twins = []
    for dataset in ("a", "b", "c"):
        weights = {f"{arm} @ {dataset}": weight for arm, weight in one.contrast.weights.items()}
        twins.append(replace(one, dataset=dataset, contrast=replace(one.contrast, weights=weights)))
    assert forest_of(twins, "nmi", margin=None, several=True).axis.label == alone
    turned = replace(one, contrast=replace(one.contrast, weights={plus: -1.0, minus: 1.0}))
    assert not forest_of([one, turned], "nmi", margin=None, several=False).axis.label.count("against")
