"""A results folder that commit 5c7b3a1 wrote opens: its trials are hits, its report is made, its verdicts stay.

The folder beside this file is what `orchestrate run walks --plugin tests/faults/plugin --address inline --no-notebook`
left there at that commit, without figures and tables: a search, an ablation, five failed trials. It is never written
again; the plugin's methods and data make the same trials as long as nobody raises their version.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from kill_rig.drivers import PLUGIN, STUDY
from kill_rig.views import View

from analysis.data import study_view
from analysis.pages import report
from analysis.verdicts import verdicts
from orchestrator.cli import main
from orchestrator.ledger import Ledger

pytestmark = [pytest.mark.slow, pytest.mark.sample]

KEPT = Path(__file__).parent / "results_of_5c7b3a1"

EFFECTS = {
    "step=2 vs baseline": (-0.0423835813999176, 8),
    "step=5 vs baseline": (-0.12347373459761002, 8),
    "fragile=some vs baseline": (-0.0019795497258504233, 3),
}
"""Contrast -> mean difference of the seed pairs and how many there are, as that commit wrote them to contrasts.csv."""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A copy that may be written to."""
    return Path(shutil.copytree(KEPT, tmp_path / "results"))


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command in this process; return what it printed."""
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "--json"])
    captured = capsys.readouterr()
    assert caught.value.code in (0, None), captured.err
    return captured.out


def test_every_trial_is_a_hit_and_the_study_has_nothing_left_to_train(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = View.of(results)
    n_attempts = len(Ledger(results).trials(view=False))
    said(capsys, "run", STUDY, "--plugin", str(PLUGIN), "--results", str(results), "--address", "inline", "--no-report")
    assert len(Ledger(results).trials(view=False)) == n_attempts
    View.of(results).require_equal(before)
    (row,) = json.loads(said(capsys, "status", "--results", str(results)))
    assert (row["trials"], row["complete"], row["failed"], row["missing"]) == (48, 43, {"diverged": 2, "bug": 3}, 0)


def test_nothing_in_it_is_named_as_broken_and_a_driver_deletes_nothing(results: Path) -> None:
    before = {path.relative_to(results) for path in results.rglob("*")}
    assert Ledger(results).doctor.problems() == []
    with Ledger(results, writable=True) as ledger:
        ledger.compact()
        assert ledger.doctor.repair() == []
    assert before <= {path.relative_to(results) for path in results.rglob("*")}


def test_its_contrasts_have_the_effects_that_were_written_with_them(results: Path) -> None:
    found = verdicts.verdicts(study_view.load(results, STUDY))
    told = {one.contrast.name: (one.judgement.estimate, one.judgement.n_pairs) for one in found}
    assert told.keys() == EFFECTS.keys()
    for name, (difference, n_pairs) in EFFECTS.items():
        assert told[name] == (pytest.approx(difference, rel=1e-12), n_pairs)


def test_its_report_is_made_again_with_a_sentence_for_each_contrast(results: Path) -> None:
    answer = report.build(results, STUDY, notebook=False)
    assert not answer.reused
    assert len(answer.sentences) == len(EFFECTS)
    arms = pd.read_csv(answer.paths["tables"] / "arms.csv")
    assert arms["complete"].tolist() == [8, 8, 8, 3]
    assert answer.paths["report"].stat().st_size > 10_000


def test_what_came_out_differently_is_said_in_plain_numbers(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["verify", STUDY, "--sample", "3", "--seed", "1", "--plugin", str(PLUGIN), "--results", str(results)]
    with pytest.raises(SystemExit) as caught:
        main(asked)
    told = " ".join(capsys.readouterr().out.split())
    assert caught.value.code == 1  # members that are trained in turn have had other seeds since then
    assert re.search(r"nmi 0\.\d+ -> 0\.\d+;", told), told


def test_a_retracted_trial_is_named_in_the_report_and_a_run_trains_it_again(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = View.of(results)
    row = study_view.confirm_rows(study_view.load(results, STUDY)).iloc[0]
    retract(results, row["trial_id"], capsys)
    answer = report.build(results, STUDY, notebook=False)
    assert f"Retracted (the disk was full): {row['arm']} seed {row['seed']}." in answer.remarks
    assert any("1 missing of 8 trials" in remark for remark in answer.remarks)
    (line,) = json.loads(said(capsys, "status", "--results", str(results)))
    assert (line["retracted"], line["missing"]) == (1, 1)
    run_again(results, capsys)
    once = View.of(results)
    # Members that are trained in turn have had other seeds since then (CHANGELOG): this trial's numbers are today's.
    others = before.trials["trial_id"] != row["trial_id"]
    pd.testing.assert_frame_equal(
        once.trials[others].reindex(columns=before.trials.columns), before.trials[others], check_dtype=False
    )
    retract(results, row["trial_id"], capsys)
    run_again(results, capsys)
    twice = View.of(results)
    for view, attempt in ((once, 2), (twice, 3)):
        assert view.trials.loc[~others, "attempt"].tolist() == [attempt]
        view.trials["attempt"] = view.epochs["attempt"] = 1
    twice.require_equal(once)
    assert len(Ledger(results).trials(view=False, only=[row["trial_id"]])) == 3


def retract(results: Path, trial_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Retract one trial by the command."""
    with pytest.raises(SystemExit):
        main(["retract", trial_id, "--reason", "the disk was full", "--results", str(results)])
    assert "1 trial retracted" in capsys.readouterr().out


def run_again(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Train what is missing of the study, in this process."""
    said(capsys, "run", STUDY, "--plugin", str(PLUGIN), "--results", str(results), "--address", "inline", "--no-report")
