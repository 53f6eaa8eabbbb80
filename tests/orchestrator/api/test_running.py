from __future__ import annotations

import json

import pytest

import orchestrator as dco
from orchestrator.cli import main
from orchestrator.errors import RequestError


def test_a_run_tells_its_steps_and_is_not_trained_again(answer, question):
    _, steps, folder = answer
    assert steps[0].done == 0 and (steps[-1].done, steps[-1].total) == (16, 16)
    assert str(steps[-1]) == "confirm: 16 of 16 trials, 0 failed, 0 collapsed"
    before = dco.load_results(folder).trials()
    again = []
    dco.run_study(question(), folder, name="restarts", progress=again.append)
    assert dco.load_results(folder).trials().equals(before) and again[-1].done == 16


def test_the_command_finds_nothing_left_to_do_where_python_has_trained(answer, tmp_path, capsys):
    found, _, folder = answer
    file = tmp_path / "other.py"
    file.write_text(
        '"""The same question."""\nfrom orchestrator.designs.one_factor import one_factor\n'
        "from orchestrator.study import Study\n"
        f'STUDY = Study(question="{found.question}", datasets=("digits:subset=200",), seeds=8, n_epochs=1, margin=0.05,'
        ' design=one_factor("kmeans", {"n_init": [4]}, base={"n_init": 1}))\n'
    )
    with pytest.raises(SystemExit):
        main(["plan", str(file), "--results", str(folder), "--json"])
    assert json.loads(capsys.readouterr().out)["hits"] == 16


def test_what_cannot_be_run_is_one_line(tmp_path, question):
    with pytest.raises(RequestError, match="needs a name"):
        dco.run_study(question(), tmp_path / "results")
    with pytest.raises(RequestError, match="cannot reach alpha"):
        dco.run_study(question(seeds=2), tmp_path / "results", name="few")
    assert not (tmp_path / "results").exists()
