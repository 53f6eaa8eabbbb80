"""The rows of the search block in plain arrays: what came, in which order, and what a page may ask of it."""

import json

import numpy as np
import pyarrow as pa
import pytest

from analysis.live import search_rows
from analysis.live.search_rows import COLLAPSED, COLUMNS, COMPLETE, ENDED, SearchRows
from orchestrator.ledger.rows.following import Change, Following

METRIC = "metric.nmi"
NOTHING = np.zeros(0, np.int64)


def row(config, seed, state="complete", nmi=0.5, **other):
    known = dict.fromkeys(COLUMNS, "same") | {"seed_block": "search", "n_epochs": 3, "collapsed": False, METRIC: nmi}
    return {**known, "config": json.dumps(config), "seed": seed, "state": state, **other}


def change(*rows, first=0, without=(), gone=NOTHING):
    table = pa.Table.from_pylist(list(rows)).drop_columns(list(without))
    return Change(np.arange(first, first + len(rows)), table, np.array(gone, np.int64))


def taken(*changes):
    found = SearchRows((METRIC,))
    for one in changes:
        found.take(one)
    return found


def test_a_cell_says_what_a_trial_came_to_and_what_it_measured():
    rows = taken(
        change(row({"lr": 1}, 0, nmi=0.1), row({"lr": 1}, 1, collapsed=True, nmi=0.2), row({"lr": 2}, 0, "failed"))
    )
    assert rows.states([0, 1], 3).tolist() == [[COMPLETE, COLLAPSED, 0], [ENDED, 0, 0]]
    assert rows.values([0], 2, [METRIC])[0, :, 0].tolist() == [0.1, 0.2]
    assert json.loads(rows.config(1)) == {"lr": 2} and rows.first_of(np.array([7, 2])) == 1


def test_a_change_whose_rows_all_failed_has_no_metric_and_is_taken_like_any_other():
    rows = taken(change(row({"lr": 1}, 0, "failed"), without=[METRIC]), change(row({"lr": 1}, 1), first=1))
    assert rows.states([0], 2).tolist() == [[ENDED, COMPLETE]]
    assert np.isnan(rows.values([0], 2, [METRIC])[0, 0, 0])


def test_a_change_without_rows_changes_nothing(synthetic):
    rows = SearchRows(("metric.neighbour_mi",))
    following = Following(synthetic.results, ("collapsed", *COLUMNS, "metric.neighbour_mi"))
    rows.take(following.look())
    before = rows.n_touched
    rows.take(following.look())
    assert rows.n_touched == before == 96


def test_what_differs_in_more_than_knobs_is_another_pool():
    rows = taken(change(row({"lr": 1}, 0), row({"lr": 1}, 0, n_epochs=9), row({"lr": 2}, 0, seed_block="confirm")))
    assert rows.pool(0) != rows.pool(1) and rows.n_touched == 2
    assert rows.touched(rows.pool(0), 0) == [0] and rows.touched(rows.pool(1), 0) == [1]


def test_touched_configurations_come_once_the_last_one_last():
    rows = taken(change(row({"lr": 1}, 0), row({"lr": 2}, 0), row({"lr": 3}, 0)))
    start = rows.n_touched
    rows.take(change(row({"lr": 3}, 1), row({"lr": 1}, 1), row({"lr": 3}, 2), first=3))
    assert rows.touched(rows.pool(0), 0) == [1, 0, 2] and rows.touched(rows.pool(0), start) == [0, 2]


def test_a_row_that_changes_or_goes_is_counted_as_changed():
    rows = taken(change(row({"lr": 1}, 0, "failed"), row({"lr": 1}, 1)), change(row({"lr": 1}, 0)))
    assert rows.n_changed == [1] and rows.states([0], 2).tolist() == [[COMPLETE, COMPLETE]]
    rows.take(Change(NOTHING, pa.Table.from_pylist([row({}, 0)]).slice(1), np.array([1, 50])))
    assert rows.n_changed == [2] and rows.states([0], 2).tolist() == [[COMPLETE, 0]]
    assert rows.first_of(np.array([1])) is None


def test_a_seed_that_no_search_has_takes_no_room():
    rows = taken(change(row({"lr": 1}, search_rows.MOST_SEEDS), row({"lr": 1}, -1), row({"lr": 1}, 2**40)))
    assert rows.n_touched == 0


@pytest.mark.parametrize("width", [1, 3, 100])
def test_slices_are_taken_as_one(width, monkeypatch):
    every = [row({"lr": place % 5}, place // 5, nmi=place / 10) for place in range(20)]
    whole = taken(change(*every))
    monkeypatch.setattr(search_rows, "SLICE_ROWS", width)
    parts = taken(change(*every))
    assert np.array_equal(whole.values(range(5), 4, [METRIC]), parts.values(range(5), 4, [METRIC]))
    assert whole.touched(0, 0) == parts.touched(0, 0)


def test_without_a_metric_nothing_is_kept(synthetic):
    rows = SearchRows(())
    rows.take(Following(synthetic.results, ()).look())
    assert rows.first_of(np.arange(300)) is None
