"""Two study files of one name do not write over each other's record; one that was edited or moved goes on."""

import shutil
from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger

TOY = str(Path(__file__).parents[1] / "toy")
STUDY = """
from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study
STUDY = Study(question="{}?", datasets=("gaussians",), n_epochs=2, seeds=6, exploratory=True,
              design=one_factor("toy", {{"mode": ["worse"]}}))
"""


def run(file, results):
    where = ["--results", str(results), "--plugin", TOY, "--address", "inline", "--no-report", "--json"]
    with pytest.raises(SystemExit) as caught:
        main(["run", str(file), *where])
    return caught.value.code or 0


def written(folder, question):
    folder.mkdir(exist_ok=True)
    (folder / "ablation.py").write_text(STUDY.format(question))
    return folder / "ablation.py"


def question(results):
    return Ledger(results).studies.read("ablation")[0]["question"]


def test_another_file_of_the_same_name_is_refused_and_the_first_record_stays(tmp_path, capsys):
    one, other = written(tmp_path / "a", "first"), written(tmp_path / "b", "second")
    assert run(one, tmp_path / "results") == 0
    assert run(other, tmp_path / "results") == 2
    said = capsys.readouterr().err
    assert str(one) in said
    assert "rename one of them" in said
    assert question(tmp_path / "results") == "first?"
    assert run(other, tmp_path / "elsewhere") == 0


def test_a_file_that_was_edited_or_moved_with_its_results_writes_its_record(tmp_path):
    place = tmp_path / "project"
    place.mkdir()
    assert run(written(place / "a", "first"), place / "results") == 0
    assert run(written(place / "a", "edited"), place / "results") == 0
    assert question(place / "results") == "edited?"
    moved = Path(shutil.move(place, tmp_path / "moved"))
    assert run(written(moved / "a", "edited again"), moved / "results") == 0
    assert question(moved / "results") == "edited again?"
    assert run(written(moved / "c", "other"), moved / "results") == 2
    (moved / "a" / "ablation.py").unlink()
    assert run(moved / "c" / "ablation.py", moved / "results") == 0


def test_a_file_that_is_moved_away_while_its_study_runs_loses_nothing(tmp_path, monkeypatch):
    file = written(tmp_path / "a", "first")

    class MovesIt(InlineExecutor):
        def train(self, source, task):
            file.unlink(missing_ok=True)
            super().train(source, task)

    monkeypatch.setattr("orchestrator.executors.inline.EXECUTOR", MovesIt)
    assert run(file, tmp_path / "results") == 0
    ledger = Ledger(tmp_path / "results")
    record, plan = ledger.studies.read("ablation")
    assert len(ledger.trials()) == len(plan) == 12 and record["source"]["path"].endswith("ablation.py")
