"""What runs have spent, read back from lines that a killed writer, or somebody else, may have left."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from orchestrator.errors import LedgerError
from orchestrator.ledger.studies.spending import FILE, SECONDS, SpendingLog, spent_in_folder, spent_on_study


@pytest.fixture
def file(tmp_path):
    (tmp_path / "studies/one").mkdir(parents=True)
    return tmp_path / "studies/one" / FILE


def test_a_line_is_written_a_minute_and_at_the_end(tmp_path, file):
    clock = SimpleNamespace(now=0.0)
    log = SpendingLog(tmp_path, "one", lambda: clock.now)
    for now in range(0, 200, 10):
        clock.now = float(now)
        log.note(lambda: {"A100": clock.now})
    assert len(file.read_text().splitlines()) == 190 // SECONDS
    log.note(lambda: {"A100": 195.0}, last=True)
    assert spent_on_study(tmp_path, "one") == {"A100": 195.0}


def test_runs_add_up_and_of_each_the_last_line_counts(tmp_path, file):
    lines = [{"run": "a", "seconds": {"A100": 5, "": 1}}, {"run": "b", "seconds": {"A100": 2}}]
    lines.append({"run": "a", "seconds": {"A100": 7}})
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert spent_on_study(tmp_path, "one") == {"A100": 9.0}


def test_nothing_spent_leaves_no_file_and_no_study_has_spent_nothing(tmp_path, file):
    SpendingLog(tmp_path, "one").note(dict, last=True)
    assert not file.exists()
    assert spent_on_study(tmp_path, "one") == spent_in_folder(tmp_path) == {}


@pytest.mark.parametrize(
    "line", ["[]", '{"run": 1, "seconds": {}}', '{"run": "a", "seconds": {"A100": -1}}', '{"run": "a", "seconds": 5}']
)
def test_what_is_no_spending_is_told_with_what_to_do(tmp_path, file, line):
    file.write_text(line + "\n")
    with pytest.raises(LedgerError, match=r"spending\.jsonl.*remove it"):
        spent_on_study(tmp_path, "one")
