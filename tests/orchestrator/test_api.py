"""The Python interface: light to import, all of it on its page, and the same answer as the command's."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import orchestrator as dco
from orchestrator.cli import main
from orchestrator.designs.one_factor import one_factor
from orchestrator.errors import RequestError, UnknownNameError

PAGE = Path(__file__).parents[2] / "docs" / "api.md"

QUESTION = "Do more restarts of k-means help?"


def question(**changes):
    fields = {"datasets": ("digits:subset=200",), "seeds": 8, "n_epochs": 1, "margin": 0.05, **changes}
    return dco.Study(question=QUESTION, design=one_factor("kmeans", {"n_init": [4]}, base={"n_init": 1}), **fields)


@pytest.fixture(scope="module", name="answer")
def trained(tmp_path_factory):
    steps = []
    folder = tmp_path_factory.mktemp("api") / "results"
    found = dco.run_study(question(), folder, name="restarts", progress=steps.append)
    return found, steps, folder


def test_importing_the_project_loads_neither_torch_nor_ray_nor_pandas():
    code = "import sys, orchestrator; print([n for n in ('torch', 'ray', 'pandas', 'matplotlib') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_page_names_every_public_symbol():
    text = re.sub(r"```.*?```", "", PAGE.read_text(), flags=re.DOTALL)
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", text))))
    wanted = set(dco.__all__)
    for kind in (dco.Answer, dco.Results):
        wanted |= {name for name in vars(kind) if not name.startswith("_")}
    wanted |= {"folder", *dco.Step.__dataclass_fields__, *inspect.signature(dco.run_study).parameters}
    assert wanted <= words, wanted - words
    for kind in (dco.Answer, dco.Results, dco.run_study, dco.load_results):
        assert kind.__doc__


def test_a_run_tells_its_steps_and_is_not_trained_again(answer):
    _, steps, folder = answer
    assert steps[0].done == 0 and (steps[-1].done, steps[-1].total) == (16, 16)
    assert str(steps[-1]) == "confirm: 16 of 16 trials, 0 failed, 0 collapsed"
    before = dco.load_results(folder).trials()
    again = []
    dco.run_study(question(), folder, name="restarts", progress=again.append)
    assert dco.load_results(folder).trials().equals(before) and again[-1].done == 16


def test_trials_epochs_contrasts_and_arms_are_data_frames_that_agree(answer):
    found, _, folder = answer
    trials, contrasts, arms = found.trials(), found.contrasts(), found.arms()
    assert (found.name, found.question, len(trials), len(found.epochs())) == ("restarts", QUESTION, 16, 16)
    by_arm = trials.pivot_table(index="seed", columns="arm", values="metric.nmi")
    difference = (by_arm["n_init=4"] - by_arm["baseline"]).mean()
    assert contrasts["estimate"][0] == pytest.approx(difference)
    assert arms.loc["baseline", "nmi"] == pytest.approx(by_arm["baseline"].mean())
    assert list(contrasts["sentence"]) == found.sentences and found.sentences[0].startswith("n_init=4")
    assert isinstance(dco.load_results(folder).epochs(list(trials["trial_id"])[:3]), pd.DataFrame)
    assert found.searches() == [] and found.trade_offs() == []
    assert QUESTION in found._repr_html_() and "restarts" in repr(found) and "restarts" in repr(dco.Results(folder))


def test_figures_and_the_report_are_those_of_the_command(answer, tmp_path):
    found, _, _ = answer
    assert "effects" in found.figures() and all(figure.axes for figure in found.figures().values())
    assert "Do more restarts" in found.report(tmp_path).read_text()


def test_the_command_finds_nothing_left_to_do_where_python_has_trained(answer, tmp_path, capsys):
    _, _, folder = answer
    file = tmp_path / "other.py"
    file.write_text(
        '"""The same question."""\nfrom orchestrator.designs.one_factor import one_factor\n'
        "from orchestrator.study import Study\n"
        f'STUDY = Study(question="{QUESTION}", datasets=("digits:subset=200",), seeds=8, n_epochs=1, margin=0.05,'
        ' design=one_factor("kmeans", {"n_init": [4]}, base={"n_init": 1}))\n'
    )
    with pytest.raises(SystemExit):
        main(["plan", str(file), "--results", str(folder), "--json"])
    assert json.loads(capsys.readouterr().out)["hits"] == 16


def test_what_cannot_be_run_or_read_is_one_line(tmp_path, answer):
    with pytest.raises(RequestError, match="needs a name"):
        dco.run_study(question(), tmp_path / "results")
    with pytest.raises(RequestError, match="there is no results folder"):
        dco.load_results(tmp_path / "nowhere")
    with pytest.raises(UnknownNameError):
        dco.load_results(answer[2]).study("never")
    with pytest.raises(RequestError, match="cannot reach alpha"):
        dco.run_study(question(seeds=2), tmp_path / "results", name="few")
    assert not (tmp_path / "results").exists()
    with pytest.raises(AttributeError, match="it has: Answer"):
        dco.answer  # noqa: B018
