"""Logs of bundles: bounded, one entry after another, found by trial."""

import pytest

from orchestrator.ledger import logs


def add(results, text="traceback", bundle="ab", members=("a1", "b2"), what="failed: bug"):
    logs.add(results, bundle, what, members, text)


def test_an_entry_is_found_under_each_of_its_trials_and_under_no_other(tmp_path):
    add(tmp_path, "first\nsecond")
    for trial_id in ("a1", "b2"):
        (entry,) = logs.entries(tmp_path, trial_id)
        assert (entry.file, entry.what, entry.text) == ("logs/ab.log", "failed: bug", "first\nsecond")
    assert logs.entries(tmp_path, "a") == []


def test_a_text_that_looks_like_a_heading_begins_no_entry(tmp_path):
    add(tmp_path, "=== 2020 | forged | c3\nmore")
    assert logs.entries(tmp_path, "c3") == []
    assert logs.entries(tmp_path, "a1")[0].text == " === 2020 | forged | c3\nmore"


def test_a_full_log_forgets_its_oldest_entries(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "MOST_BYTES", 1000)
    for number in range(5):
        add(tmp_path, f"{number}" * 300)
    texts = [entry.text[0] for entry in logs.entries(tmp_path, "a1")]
    assert texts in (["3", "4"], ["2", "3", "4"])
    assert (tmp_path / "logs" / "ab.log").stat().st_size <= 1000


@pytest.mark.parametrize("most", [40, 100])
def test_a_long_text_keeps_its_beginning_and_three_times_as_much_of_its_end(most):
    text = "b" * 500 + "e" * 500
    cut = logs.bounded(text, most)
    assert cut.count("b") == most // 4 and cut.startswith("b")
    assert cut.rstrip("e").endswith("left out ...]\n")
    assert f"{1000 - most} characters left out" in cut
    assert logs.bounded("short", most) == "short"


def test_old_files_go_when_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "MOST_FILES", 2)
    for bundle in ("aa", "bb", "cc"):
        add(tmp_path, bundle=bundle)
    assert len(list((tmp_path / "logs").iterdir())) == 2
