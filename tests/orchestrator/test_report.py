"""What a script reports goes to the file that it is given, or is printed."""

from __future__ import annotations

import json

from orchestrator.report import report


def test_numbers_are_lines_of_the_file_that_it_was_given(tmp_path, monkeypatch):
    monkeypatch.setenv("ORCHESTRATE_REPORT", str(tmp_path / "report"))
    report(epoch=0, loss=1)
    report(epoch=1, loss=0.5, nmi=True)
    lines = (tmp_path / "report").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"epoch": 0, "loss": 1.0},
        {"epoch": 1, "loss": 0.5, "nmi": 1.0},
    ]


def test_by_hand_they_are_printed(capsys, monkeypatch):
    monkeypatch.delenv("ORCHESTRATE_REPORT", raising=False)
    report(loss=0.25)
    assert json.loads(capsys.readouterr().out) == {"loss": 0.25}
