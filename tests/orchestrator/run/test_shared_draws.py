"""What many trials share, from the artifact to the verdict: made once, told in rows, one draw in the test."""

from pathlib import Path

import pytest

from analysis.data import provenance, study_view
from analysis.tables import arm_tables
from analysis.verdicts import verdicts
from analysis.verdicts.beats_chance import footings
from analysis.verdicts.detectable import detectable
from orchestrator.cli import console
from orchestrator.designs.one_factor import one_factor
from orchestrator.executors.inline import InlineExecutor
from orchestrator.inspection.trial_view import trial_view
from orchestrator.ledger import Ledger
from orchestrator.ledger.schema import trials_table, union
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study, until_decided
from orchestrator.trial import Stage, TrialOutcome, TrialSpec, TrialState, stages_of, stages_text
from trainables.data import data_folder

PLUGIN = (str(Path(__file__).parents[1] / "staged"),)


def run(folder, n_pretrainings, seeds=12):
    study = Study(
        name="staged",
        question="?",
        design=one_factor("pretrained", {"gain": [0.5]}, base={"n_pretrainings": n_pretrainings}),
        datasets=("gaussians",),
        n_epochs=1,
        seeds=seeds,
        exploratory=True,
    )
    with Ledger(folder, writable=True) as ledger:
        runner = Runner(plan_of(study, Catalogue(PLUGIN)), ledger, RunOptions(plugins=PLUGIN))
        InlineExecutor().run(runner)
        runner.write_record()
    return study_view.load(folder, "staged")


@pytest.fixture(autouse=True)
def own_artifacts(tmp_path, monkeypatch):
    monkeypatch.setenv(data_folder.VARIABLE, str(tmp_path / "data"))


def test_several_pretrainings_are_made_once_each_told_in_rows_and_are_the_units_of_the_test(tmp_path, capsys):
    study = run(tmp_path / "results", 3)
    kept = {path.stem for path in (tmp_path / "data" / "pretraining").iterdir()}
    told = [stages_of(text) for text in study.rows["stages"]]
    assert {stage.key for (stage,) in told} == kept and len(kept) == 3
    (found,) = verdicts.verdicts(study)
    assert "3 stages of 12 seeds" in found.sentence
    assert "the test counts 3 stages, not 12 seeds" in found.sentence
    baseline, level = arm_tables.arm_rows(study, [found])
    assert baseline.cells["nmi"].std == 0.0 and level.cells["nmi"].n == 12
    means = level_means(study)
    assert level.cells["nmi"].low == pytest.approx(arm_tables.mean_interval(means).low)
    assert detectable(study, [found]).sentence.startswith("3 independent stages cannot reach p = 0.05 over 1 contrast")
    (footing,) = footings(study)
    assert "3 independent stages" in footing.sentence
    assert "3 independent stages and 1 contrasts cannot reach 0.05" in found.sentence
    trial = trial_view(tmp_path / "results", study.rows["trial_id"].iloc[0])
    assert trial["stages"] == [{"name": "pretraining", "key": told[0][0].key, "drawn": True}]
    console.trial_text(trial)
    assert f"made once, with a seed of its own: pretraining {told[0][0].key}" in capsys.readouterr().out
    (line,) = [value for what, value in provenance.facts(study) if what == "made once, shared by trials"]
    assert all(f"pretraining {key} (" in line for key in kept) and "made with a seed" in line


def level_means(study):
    """The mean of the varied arm on each of its stages."""
    rows = study.rows[study.rows["role"] != "baseline"]
    return rows.groupby("stages")["metric.nmi"].mean().to_numpy()


def test_one_pretraining_for_all_seeds_is_said_to_be_given(tmp_path):
    study = run(tmp_path / "results", 1)
    (found,) = verdicts.verdicts(study)
    assert "12 of 12 seeds" in found.sentence and "stages of" not in found.sentence
    assert "Made once, for all seeds: pretraining " in found.sentence
    assert "the interval covers what comes after it" in found.sentence


def test_a_running_study_does_not_stop_on_seeds_that_are_one_draw(tmp_path):
    study = run(tmp_path / "results", 2, seeds=until_decided((8, 12)))
    assert [look["n_seeds"] for look in study.record["looks_taken"]] == [8, 12]  # 8 equal seeds alone would decide


def test_a_stage_that_follows_from_no_seed_is_named_and_changes_no_verdict(tmp_path):
    study = run(tmp_path / "results", 3)
    rows = study.rows.assign(stages=stages_text([Stage(name="features=resnet18", key="ab")]))
    (found,) = verdicts.verdicts(study_view.StudyView(study.name, study.results, study.record, rows))
    assert "stage" not in found.sentence and "Made once" not in found.sentence


def test_rows_from_before_stages_were_recorded_read_as_null():
    spec = TrialSpec(method="m", method_version=1, config={}, dataset="d", dataset_digest="")
    table = trials_table([TrialOutcome(spec=spec, attempt=1, state=TrialState.COMPLETE, facts={"stages": ""})])
    read = union("trials", [table.drop_columns(["stages"]), table])
    assert read["stages"].to_pylist() == [None, ""]
    assert stages_of(None) == stages_of("") == stages_of(float("nan")) == ()


def test_stages_are_written_in_one_form_whatever_their_order():
    two = (Stage.of("a", {"x": 1}, drawn=True), Stage.of("b", {"x": 1}))
    assert stages_text(two) == stages_text((two[1], two[0], two[1]))
    assert set(stages_of(stages_text(two))) == set(two) and stages_text(()) == ""
    assert Stage.of("a", {"x": 1}).key == two[0].key != Stage.of("a", {"x": 2}).key
