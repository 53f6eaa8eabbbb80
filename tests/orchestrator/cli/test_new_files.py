"""Files that `orchestrate new` writes: they run as they are, and nothing is written over."""

from __future__ import annotations

import pytest

import orchestrator as dco
from orchestrator.cli import main


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(*words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return ended.value.code


@pytest.mark.parametrize(
    ("kind", "study", "more"),
    [
        ("study", "mine.py", ()),
        ("method", "mine_study.py", ("--plugin", ".")),
        pytest.param("script", "mine_study.py", (), marks=[pytest.mark.slow, pytest.mark.sample]),  # 16 processes
    ],
)
def test_what_is_written_runs_as_it_is_and_ends_in_a_verdict(here, capsys, kind, study, more):
    assert command("new", kind, "mine") == 0
    assert f"try it: orchestrate run {study}" in capsys.readouterr().out
    assert (here / study).read_text().count("#") >= 1 or kind != "study"
    assert command("run", study, "--address", "inline", "--no-report", *more) == 0
    answer = dco.load_results("results").study(study.removesuffix(".py"))
    assert set(answer.trials()["state"]) == {"complete"} and answer.sentences
    assert answer.record["command"] == " ".join(["orchestrate", "run", study, *more]), (
        "a report says how it is run again"
    )


def test_nothing_is_written_over_and_a_strange_name_or_kind_is_one_line(here, capsys):
    assert command("new", "study", "mine") == 0
    (here / "mine.py").write_text("mine")
    assert command("new", "study", "mine") == 2
    assert (here / "mine.py").read_text() == "mine"
    assert command("new", "study", "my study") == 2
    assert command("new", "studdy", "other") == 2
    lines = capsys.readouterr().err.splitlines()
    assert "is there already" in lines[0] and "it is a Python name" in lines[1] and "the nearest: study" in lines[2]
    assert command("new", "script", "mine") == 2 and not (here / "mine_study.py").exists()


@pytest.mark.parametrize(("kind", "name"), [("study", "quickstart"), ("method", "kmeans"), ("script", "kmeans")])
def test_a_name_that_the_project_has_is_refused_before_a_file_is_written(here, capsys, kind, name):
    """A script would be refused when it is run; a study and a method would share results with another one."""
    assert command("new", kind, name) == 2
    assert "the project has a" in capsys.readouterr().err and not list(here.iterdir())
