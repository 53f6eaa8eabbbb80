"""Rows as Arrow tables: nothing is lost when columns come and go, and a forgotten member leaves no row."""

from __future__ import annotations

from orchestrator.trial import Bundle, TrialSpec
from trainables.training.row_table import RowTable, from_bytes


def table(attempts: tuple[int, ...] = ()) -> RowTable:
    specs = tuple(
        TrialSpec(method="m", method_version=1, config={}, dataset="d", dataset_digest="x", seed=seed)
        for seed in range(3)
    )
    return RowTable(Bundle(specs, attempts=attempts))


def test_a_batch_holds_the_rows_of_the_living_members() -> None:
    rows = table((1, 4, 1))
    stream = rows.add([1, 2], 3, [0.0, 0.5, 0.7], [{"metric.a": 1.0}, {"metric.a": 2.0, "diagnostic.b": 9.0}])
    assert from_bytes(stream).to_pylist() == [
        {"trial_id": rows.ids[1], "attempt": 4, "epoch": 3, "seconds": 0.5, "metric.a": 1.0, "diagnostic.b": None},
        {"trial_id": rows.ids[2], "attempt": 1, "epoch": 3, "seconds": 0.7, "metric.a": 2.0, "diagnostic.b": 9.0},
    ]
    assert rows.add([], 4, [0.0], []) == b""


def test_everything_holds_columns_that_only_some_rows_have() -> None:
    rows = table()
    assert rows.everything() == b""
    rows.add([0, 1], 1, [1.0, 1.0], [{"metric.a": 1.0}] * 2)
    rows.add([0, 1], 2, [2.0, 2.0], [{"metric.a": 3.0, "metric.late": 4.0}] * 2)
    found = from_bytes(rows.everything()).to_pylist()
    assert [row["metric.late"] for row in found] == [None, None, 4.0, 4.0]
    assert rows.latest(1) == {"metric.a": 3.0, "metric.late": 4.0} and rows.latest(2) == {}


def test_a_forgotten_member_leaves_no_row_and_others_keep_theirs() -> None:
    rows = table()
    rows.forget([0])
    rows.add([0, 1, 2], 1, [1.0] * 3, [{"metric.a": float(member)} for member in range(3)])
    rows.forget([0, 2])
    assert [row["metric.a"] for row in from_bytes(rows.everything()).to_pylist()] == [1.0]
    rows.forget([1])
    assert rows.everything() == b""


def test_rows_are_taken_up_under_the_attempt_of_now() -> None:
    before, after = table(), table((2, 2, 3))
    before.add([0, 2], 1, [1.0] * 3, [{"metric.a": 1.0}] * 2)
    after.take_up(before.everything())
    assert [row["attempt"] for row in from_bytes(after.everything()).to_pylist()] == [2, 3]
    after.take_up(b"")
    assert after.latest(2) == {"metric.a": 1.0}
