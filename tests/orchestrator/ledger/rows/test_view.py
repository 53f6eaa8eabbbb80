"""The reading rule, against a loop over the rows that says the same in words."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.ledger.rows.view import chosen, mask_of, rows_of, selected, taken

ROW = st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.integers(0, 3))


def table(rows):
    ids, attempts, ranks = zip(*rows, strict=True) if rows else ((), (), ())
    columns = {
        "trial_id": pa.array(ids, pa.string()),
        "attempt": pa.array(attempts, pa.int32()),
        "rank": pa.array(ranks, pa.int8()),
    }
    return pa.table(columns)


@given(st.lists(ROW, max_size=12), st.integers(0, 12))
def test_one_row_a_trial_the_best_state_then_the_latest_attempt_then_the_earlier_row(rows, cut):
    best = {}
    for place, (trial, attempt, rank) in enumerate(rows):
        if rank and (trial not in best or (rank, attempt, -place) > best[trial]):
            best[trial] = (rank, attempt, -place)
    parts = [table(rows[:cut]), table(rows[cut:])]
    assert sorted(chosen(parts).tolist()) == sorted(-one[2] for one in best.values())


@given(st.lists(ROW, max_size=12), st.sets(st.sampled_from("abc")))
def test_with_only_some_trials_the_rows_of_these_are_chosen_as_without(rows, only):
    whole = chosen([table(rows)])
    assert chosen([table(rows)], only=only).tolist() == [place for place in whole if rows[place][0] in only]


@given(st.lists(ROW, min_size=1, max_size=12))
def test_every_attempt_comes_once(rows):
    places = chosen([table(rows)], every_attempt=True)
    assert sorted({rows[place][:2] for place in places}) == sorted({row[:2] for row in rows})
    assert len(places) == len({row[:2] for row in rows})


@given(st.lists(ROW, max_size=8), st.lists(ROW, max_size=8))
def test_rows_of_attempts_are_those_whose_keys_are_among_them(rows, attempts):
    keys = {row[:2] for row in attempts}
    assert mask_of(table(rows), table(attempts)).tolist() == [row[:2] in keys for row in rows]
    assert len(rows_of(table(rows), table(attempts))) == sum(row[:2] in keys for row in rows)


def test_a_whole_table_is_not_copied_and_absent_columns_are_left_out():
    rows = table([("a", 1, 3), ("b", 1, 3)])
    assert taken(rows, np.arange(2)) is rows
    assert taken(rows, np.array([1]))["trial_id"].to_pylist() == ["b"]
    assert selected(rows, None) is rows
    assert selected(rows, ["rank", "nothing"]).column_names == ["rank"]
