"""Rows as Arrow tables: nothing is lost when columns come and go, and a forgotten member leaves no row."""

from __future__ import annotations

from orchestrator.row_table import RowTable, from_stream
from orchestrator.trial import Bundle, TrialSpec


def bundle(attempts: tuple[int, ...] = ()) -> Bundle:
    specs = tuple(
        TrialSpec(method="m", method_version=1, config={}, dataset="d", dataset_digest="x", seed=seed)
        for seed in range(3)
    )
    return Bundle(specs, attempts=attempts)


def test_a_stream_holds_the_rows_of_the_living_members() -> None:
    rows, own = RowTable(), bundle((1, 4, 1))
    one, other = own.specs[1].trial_id, own.specs[2].trial_id
    stream = rows.measured(own, [1, 2], 3, [0.0, 0.5, 0.7], [{"metric.a": 1.0}, {"metric.a": 2.0, "diagnostic.b": 9.0}])
    assert from_stream(stream).to_pylist() == [
        {"trial_id": one, "attempt": 4, "epoch": 3, "seconds": 0.5, "metric.a": 1.0, "diagnostic.b": None},
        {"trial_id": other, "attempt": 1, "epoch": 3, "seconds": 0.7, "metric.a": 2.0, "diagnostic.b": 9.0},
    ]
    assert rows.measured(own, [], 4, [0.0], []) == b""


def test_the_whole_stream_holds_columns_that_only_some_rows_have() -> None:
    rows, own = RowTable(), bundle()
    assert rows.stream() == b""
    rows.measured(own, [0, 1], 1, [1.0, 1.0], [{"metric.a": 1.0}] * 2)
    rows.measured(own, [0, 1], 2, [2.0, 2.0], [{"metric.a": 3.0, "metric.late": 4.0}] * 2)
    assert [row["metric.late"] for row in from_stream(rows.stream()).to_pylist()] == [None, None, 4.0, 4.0]
    assert rows.latest(own.specs[1].trial_id) == {"metric.a": 3.0, "metric.late": 4.0}
    assert rows.latest(own.specs[2].trial_id) == {}


def test_a_forgotten_trial_leaves_no_row_and_others_keep_theirs() -> None:
    rows, own = RowTable(), bundle()
    ids = [spec.trial_id for spec in own.specs]
    rows.forget(ids[:1])
    rows.measured(own, [0, 1, 2], 1, [1.0] * 3, [{"metric.a": float(member)} for member in range(3)])
    rows.forget([ids[0], ids[2]])
    assert [row["metric.a"] for row in from_stream(rows.stream()).to_pylist()] == [1.0]
    rows.forget([ids[1]])
    assert rows.stream() == b""


def test_rows_are_taken_up_under_the_attempt_of_now() -> None:
    before, after = RowTable(), RowTable()
    before.measured(bundle(), [0, 2], 1, [1.0] * 3, [{"metric.a": 1.0}] * 2)
    now = bundle((2, 2, 3))
    after.take_up(before.stream(), now)
    assert [row["attempt"] for row in from_stream(after.stream()).to_pylist()] == [2, 3]
    after.take_up(b"", now)
    assert after.latest(now.specs[2].trial_id) == {"metric.a": 1.0}


def test_what_a_driver_adds_is_what_a_worker_measured() -> None:
    worker, driver, own = RowTable(), RowTable(), bundle()
    ids = [spec.trial_id for spec in own.specs]
    for epoch in (1, 2):
        rows = [{"metric.a": float(epoch * member)} for member in range(3)]
        driver.add(worker.measured(own, [0, 1, 2], epoch, [0.5 * epoch] * 3, rows))
    assert driver.curves("a") == {one: {1: float(place), 2: 2.0 * place} for place, one in enumerate(ids)}
    assert driver.seconds(ids[0]) == [0.5, 1.0]
    assert driver.of({ids[2]})["epoch"].to_pylist() == [1, 2]
    driver.clear()
    assert driver.of(ids) is None and driver.curves("a") == {} and driver.seconds(ids[0]) == []
