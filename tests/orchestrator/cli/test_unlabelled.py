"""A study of points without labels: internal verdicts, the choices of the labelled run, no label anywhere."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.datasets import load_digits

from analysis.data import study_view
from analysis.verdicts.beats_chance import footings
from analysis.verdicts.optimism import optimism
from analysis.verdicts.verdicts import heading, verdicts
from orchestrator.cli import main
from orchestrator.ledger import Ledger

STUDY = '''
"""Do fairness and a search matter on digits?"""
from orchestrator.designs.around import around
from orchestrator.designs.fixed import fixed
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.knobs import Float
from orchestrator.study import Study

STUDY = Study(
    question="Does fairness matter?", datasets=("digits:subset=400",), n_epochs=3, seeds=8, margin=0.02,
    design=around(
        search("entropy", {"fairness_weight": Float(1.0, 1000.0, log=True), "lr": Float(0.01, 5.0, log=True)},
               n_configurations=6, n_seeds=2, round_size=3),
        one_factor("entropy", {"fairness": ["none"]}),
    ),
    rivals=(fixed("kmeans"),),
)
'''


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick.py").write_text(STUDY)
    return tmp_path


def run(folder, *settings):
    words = [word for setting in settings for word in ("--set", setting)]
    line = ["run", "quick.py", "--address", "inline", "--results", folder, "--no-report", "--json", *words]
    with pytest.raises(SystemExit) as ended:
        main(line)
    return ended.value.code


def chosen(folder):
    return json.loads((folder / "studies" / "quick" / "study.json").read_text())["searches"][0]


def test_without_labels_the_choices_are_those_of_the_labelled_run_and_verdicts_are_internal(here, capsys):
    internal = ("metric=neighbour_mi", "margin=0.05", "beats_chance_by=0.05")
    assert run("with") == 0
    assert run("without", "dataset=digits:labels=none,subset=400", *internal) == 0
    with_labels, without = chosen(here / "with"), chosen(here / "without")
    assert without["chosen"] == with_labels["chosen"]
    assert [one["values"] for one in without["history"]] == [one["values"] for one in with_labels["history"]]
    assert [one["objective"] for one in without["history"]] == [one["objective"] for one in with_labels["history"]]
    external = {"metric.acc", "metric.nmi", "metric.ari", "metric.ami"}
    assert external <= set(Ledger(here / "with").trials().columns)
    assert not external & set(Ledger(here / "without").trials().columns)
    study = study_view.load(here / "without", "quick")
    assert "has no labels: scores are internal, and whether its clusters are classes cannot be known" in heading(study)
    assert all("neighbour MI" in one.sentence for one in verdicts(study))
    (footing,) = footings(study)
    assert footing.metric == "neighbour_mi" and 0 < footing.chance < 0.2 < footing.typical
    assert optimism(study, study_view.epochs_of(study, study_view.confirm_rows(study))) == []


def test_a_metric_that_reads_labels_is_refused_where_there_are_none(here, capsys):
    assert run("results", "dataset=digits:labels=none,subset=400") == 2
    line = capsys.readouterr().err
    assert "has no labels, and nmi reads them" in line and "--set metric=neighbour_mi" in line
    assert not (here / "results" / "trials").exists()


def test_own_points_run_verify_and_leave_no_path_in_any_row(here, capsys):
    points = load_digits().data[:300]
    np.save("emb.npy", ((points - points.mean(0)) / points.std()).astype(np.float32))
    settings = ("dataset=emb.npy:clusters=7,name=mine", "metric=neighbour_mi", "margin=0.05")
    assert run("results", *settings) == 0
    rows = Ledger(here / "results").trials()
    assert set(rows["dataset"]) == {"mine"} and set(rows["state"]) == {"complete"}
    assert not any(str(here) in str(value) for value in rows.to_numpy().ravel())
    assert rows["metric.effective_clusters"].max() <= 7.0
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["verify", "quick", "--results", "results", "--sample", "2", "--json"])
    assert json.loads(capsys.readouterr().out)["n_equal"] == 2
