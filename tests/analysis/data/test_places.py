"""Where reports go."""

from pathlib import Path

from analysis.data import places
from orchestrator.ledger.exporting import MARK


def test_reports_lie_beside_the_ledger_unless_it_is_to_stay_as_it_is(tmp_path):
    assert places.place_for(tmp_path, None) == tmp_path
    (tmp_path / MARK).write_text("{}")
    assert places.place_for(tmp_path, None) == Path("answers")
    assert places.place_for(tmp_path, tmp_path / "out") == tmp_path / "out"
