"""What is kept of rows: facts by slot, failures by their last line, devices by name."""

import numpy as np
import pyarrow as pa

from analysis.live import kept_rows
from analysis.live.kept_rows import KeptRows
from orchestrator.ledger.rows.following import Change

NONE = np.zeros(0, np.int64)


def change(*rows, first=0, gone=()):
    names = ("state", "failure_kind", "error", "collapsed", "cost.seconds", "device", "device_name", "finished_at")
    types = (
        pa.string(),
        pa.string(),
        pa.string(),
        pa.bool_(),
        pa.float64(),
        pa.string(),
        pa.string(),
        pa.timestamp("us", tz="UTC"),
    )
    columns = [pa.array(values, kind) for values, kind in zip(zip(*rows, strict=True), types, strict=True)]
    table = pa.table(dict(zip(names, columns, strict=True)))
    return Change(np.arange(first, first + len(rows)), table, np.array(gone, np.int64))


def complete(seconds=1.0, device="cpu", name=None, ended=None):
    return ("complete", "", "", False, seconds, device, name, ended)


def failed(error, kind="diverged"):
    return ("failed", kind, error, None, None, "cpu", None, None)


def kept(*changes):
    found = KeptRows()
    found.make_room(20)
    for one in changes:
        found.take(one)
    return found


def test_failures_that_end_alike_are_one_and_the_most_frequent_comes_first():
    found = kept(change(failed("a\nlast"), failed("one"), failed("b\nlast"), complete()))
    slots = np.arange(4)
    told = found.failures(slots, found.facts[slots], 5)
    assert [(one["line"], one["count"], one["slot"]) for one in told] == [("last", 2, 2), ("one", 1, 1)]
    assert told[0]["text"] == "b\nlast" and found.kinds(found.facts[slots]) == {"diverged": 3}


def test_a_failure_that_was_trained_again_is_none_any_more_and_a_retracted_row_counts_for_nothing():
    found = kept(change(failed("x"), complete(2.0)), change(complete(3.0), gone=[1]))
    assert found.kinds(found.facts) == {} and found.facts["rank"][:2].tolist() == [3, 0]
    assert found.seconds_by_device() == {"cpu": (1, 3.0)}


def test_seconds_are_counted_by_the_name_of_the_device():
    found = kept(change(complete(1.0), complete(2.0, "cuda", "NVIDIA H100"), complete(4.0, "cuda", "NVIDIA H100")))
    assert found.seconds_by_device() == {"cpu": (1, 1.0), "NVIDIA H100": (2, 6.0)}


def test_ever_new_errors_and_long_ones_take_no_more_room_than_allowed(monkeypatch):
    monkeypatch.setattr(kept_rows, "MOST_GROUPS", 3)
    found = kept(change(*(failed(f"{'long ' * 5_000}\nerror {number}") for number in range(10))))
    told = found.failures(np.arange(10), found.facts[:10], 10)
    assert sum(one["count"] for one in told) == 10 and len(told) == 4
    assert max(len(one["text"]) for one in told) == kept_rows.MOST_TEXT
    assert told[0]["count"] == 7 and "too many" in told[0]["line"]


def test_trials_are_counted_from_a_moment_on_and_one_without_an_end_only_in_all():
    found = kept(change(complete(1.0, ended=5_000_000), complete(2.0, ended=9_000_000), complete(4.0)))
    assert found.seconds_by_device() == {"cpu": (3, 7.0)} and found.seconds_by_device(6.0) == {"cpu": (1, 2.0)}
