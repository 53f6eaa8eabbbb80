"""JSON lines among other output become rows by epoch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import DataError
from trainables.adapters.reports import Growing, Reported, numbers_in, whole_file


@given(cuts=st.lists(st.integers(0, 60), max_size=6))
def test_where_a_file_is_cut_changes_nothing(cuts, tmp_path_factory):
    content = b'hello\n{"a": 1}\r{"b": 2}\n{"c": [}\n{"d": 4}'
    path = tmp_path_factory.mktemp("cut") / "out"
    growing, found = Growing(path), []
    for end in sorted({min(cut, len(content)) for cut in cuts}):
        path.write_bytes(content[:end])
        found += growing.news()
    path.write_bytes(content)
    found += growing.news(ended=True)
    assert found == [{"a": 1}, {"b": 2}, {"d": 4}]


def test_reports_without_an_epoch_are_counted_and_the_last_is_completed():
    reported = Reported(2)
    for loss in (3.0, 2.0, 1.0):
        reported.take({"loss": loss}, {"loss": loss})
    assert reported.rows == {1: {"loss": 3.0}, 2: {"loss": 1.0}}


def test_the_first_epoch_said_tells_whether_they_count_from_0_or_1():
    for first in (0, 1):
        reported = Reported(2)
        assert [reported.take({"epoch": first + place}, {}) for place in (0, 1)] == [1, 2]
        with pytest.raises(DataError, match="this trial has 2"):
            reported.take({"epoch": first + 2}, {})


def test_only_numbers_that_are_no_knobs_are_metrics():
    said = {"epoch": 1, "lr": 0.1, "loss": 2, "ok": True, "name": "x", "bad name!": 1, "none": None}
    assert numbers_in(said, {"lr"}, None) == {"loss": 2.0, "ok": 1.0}
    assert numbers_in(said, {"lr"}, {"ok"}) == {"ok": 1.0}


def test_a_file_of_metrics_is_lines_a_list_or_one_object(tmp_path):
    path = tmp_path / "m"
    for content in ('{"a": 1}\n{"a": 2}\n', '[{"a": 1}, {"a": 2}]'):
        path.write_text(content)
        assert whole_file(path) == [{"a": 1}, {"a": 2}]
    path.write_text("loss 3")
    with pytest.raises(DataError, match="it is JSON lines, or one JSON object"):
        whole_file(path)
    assert whole_file(tmp_path / "absent") == []


@pytest.mark.parametrize("epoch", [float("nan"), float("inf"), -float("inf"), 1.5, True, "1"])
def test_an_epoch_that_is_no_whole_number_is_named(epoch):
    with pytest.raises(DataError, match="an epoch is a whole number"):
        Reported(3).take({"epoch": epoch}, {"loss": 1.0})


def test_a_whole_number_that_no_float_holds_is_infinite():
    assert numbers_in({"up": 10**400, "down": -(10**400)}, (), None) == {"up": float("inf"), "down": -float("inf")}


def test_a_folder_in_the_place_of_a_file_is_no_report(tmp_path):
    assert list(Growing(tmp_path).news()) == []
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        whole_file(tmp_path)


def test_a_file_of_metrics_may_be_nested_too_deep(tmp_path):
    (tmp_path / "m").write_text("[" * 100_000)
    with pytest.raises(DataError, match="it is JSON lines, or one JSON object"):
        whole_file(tmp_path / "m")
