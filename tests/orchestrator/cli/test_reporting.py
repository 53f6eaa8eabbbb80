"""Reports as commands: what is made ready while trials are trained, and what is printed in the end."""

import json
import threading
from pathlib import Path

import pytest

from analysis.pages import report as pages
from orchestrator.cli.options import ReportOptions
from orchestrator.cli.reporting import ReportAhead, report, report_all
from orchestrator.designs.one_factor import one_factor
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study

TOY = (str(Path(__file__).parent.parent / "toy"),)
STUDY = Study(
    question="does the mode matter?", name="modes", design=one_factor("toy", {"mode": ["worse"]}),
    datasets=("gaussians",), n_epochs=2, seeds=6, margin=0.02,
)  # fmt: skip


@pytest.fixture
def results(tmp_path):
    """A folder in which the study is done."""
    with Ledger(tmp_path, writable=True) as ledger:
        runner = Runner(plan_of(STUDY, Catalogue(TOY)), ledger, RunOptions(plugins=TOY))
        InlineExecutor().run(runner)
        runner.write_record()
    return tmp_path


def test_without_a_notebook_no_kernel_is_started_and_begin_may_be_called_at_any_news():
    ahead = ReportAhead(notebook=False)
    assert ahead.kernel() is None
    ahead.begin()
    ahead.begin()
    assert ahead.kernel() is None
    ahead.close()


def test_where_no_thread_is_to_be_had_nothing_is_made_ready(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    ahead = ReportAhead(notebook=False)
    ahead.begin()
    assert ahead.kernel() is None
    ahead.close()


def test_what_cannot_be_made_ready_is_left_to_the_report(monkeypatch):
    said = []
    monkeypatch.setattr(threading, "excepthook", said.append)

    def fail():
        raise SystemError("error return without exception set")

    monkeypatch.setattr(pages, "preload", fail)
    ahead = ReportAhead(notebook=False)
    ahead.begin()
    assert ahead.kernel() is None
    assert not said


def test_a_report_prints_its_answer_as_json_or_in_words_and_writes_its_page(results, capsys):
    report("modes", ReportOptions(results=results, notebook=False, as_json=True))
    found = json.loads(capsys.readouterr().out)
    assert found["heading"]
    report("modes", ReportOptions(results=results, notebook=False, quiet=True))
    assert STUDY.question in capsys.readouterr().out
    assert (results / "studies" / "modes" / "report.html").is_file()
    (look,) = Ledger(results).studies.read("modes")[0]["looks_taken"]  # twice the same
    assert (look["n_seeds"], look["planned"]) == (6, True)


def test_the_report_of_all_is_made_once_and_said_again(results, capsys):
    printed = []
    for _ in range(2):
        report_all(ReportOptions(all_studies=True, results=results, notebook=False, as_json=True))
        printed.append(json.loads(capsys.readouterr().out))
    assert printed[0].keys() == printed[1].keys()
    assert list(results.rglob("index.html"))
