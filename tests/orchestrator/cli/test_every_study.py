"""Every study together: priced with a total, run in order, resumed, and not stopped by one that fails."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.data import study_view
from analysis.verdicts.looks import looks_sentence
from orchestrator.cli import every_study, main, plan_view, reporting, session
from orchestrator.cli.options import RunOptions as Options
from orchestrator.designs.around import around
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.errors import InterruptedRunError, OrchestratorError, RequestError
from orchestrator.executors.inline import InlineExecutor
from orchestrator.inspection.status import status
from orchestrator.ledger import Ledger
from orchestrator.plan import study_list
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study

TOY = (str(Path(__file__).parent.parent / "toy"),)


def study(name, design=None, **changes):
    fields = {"datasets": ("gaussians",), "n_epochs": 2, "seeds": 6, "margin": 0.02, **changes}
    design = design or one_factor("toy", {"mode": ["worse"]})
    return Study(question=f"what does {name} ask?", name=name, design=design, **fields)


FIRST, SECOND = study("first"), study("second", one_factor("toy", {"level": [0.1]}), exploratory=True)
BROKEN = study("broken", around("never_run", one_factor("toy", {"mode": ["worse"]})))


def request(folder, **changes):
    fields = {"address": "inline", "plugin": list(TOY), "report": False, "as_json": True, **changes}
    return Options(all_studies=True, results=folder, **fields)


def test_a_study_that_fails_is_named_and_the_others_run(tmp_path, capsys):
    with pytest.raises(OrchestratorError, match="1 of 3 studies failed: broken: UnknownNameError"):
        every_study.run_studies([FIRST, BROKEN, SECOND], request(tmp_path))
    with Ledger(tmp_path) as ledger:
        assert {"first", "second"} <= set(ledger.studies.names())
        assert len(ledger.trials()) == 6 * 3  # the baseline is shared
    assert "broken failed" in capsys.readouterr().err


def test_a_second_run_of_all_trains_nothing(tmp_path):
    every_study.run_studies([FIRST, SECOND], request(tmp_path))
    before = Ledger(tmp_path).trials()
    every_study.run_studies([FIRST, SECOND], request(tmp_path))
    assert Ledger(tmp_path).trials().equals(before)


def test_a_spent_time_budget_ends_all_studies_and_nothing_is_lost(tmp_path):
    with pytest.raises(InterruptedRunError, match="nothing is lost"):
        every_study.run_studies([FIRST, SECOND], request(tmp_path, time_budget=1e-9))
    every_study.run_studies([FIRST, SECOND], request(tmp_path))
    assert len(Ledger(tmp_path).trials()) == 18


def test_a_budget_of_the_folder_that_is_spent_ends_a_run_before_it_trains(tmp_path):
    every_study.run_studies([FIRST], request(tmp_path))
    before = len(Ledger(tmp_path).trials())
    (spent,) = (sum(run["device_seconds"].values()) for run in Ledger(tmp_path).studies.read(FIRST.key)[0]["runs"])
    assert spent > 0
    with pytest.raises(InterruptedRunError, match="of the results folder, all runs is spent; nothing is lost"):
        every_study.run_studies([SECOND], request(tmp_path, budget_hours=[f"folder:{spent / 7200}"]))
    assert len(Ledger(tmp_path).trials()) == before
    every_study.run_studies([SECOND], request(tmp_path, budget_hours=["study:1", "folder:1"]))
    assert len(Ledger(tmp_path).trials()) == 18


def test_a_budget_of_another_form_is_refused_before_anything_happens(tmp_path):
    with pytest.raises(RequestError, match="--budget-hours 'week:3'"):
        every_study.run_studies([FIRST], request(tmp_path / "results", budget_hours=["week:3"]))
    assert not (tmp_path / "results").exists()


def test_the_price_of_all_counts_a_shared_trial_once(tmp_path):
    every_study.run_studies([study("earlier", seeds=8)], request(tmp_path))
    found = plan_view.priced_together([FIRST, SECOND, study("third", seeds=20)], tmp_path, TOY, 2)
    assert [line["missing"] for line in found["studies"]] == [0, 6, 24]
    assert (found["trials"], found["missing"]) == (12 + 12 + 40, 6 + 24)
    assert found["wall_seconds"][0] > 0
    assert [line["exploratory"] for line in found["studies"]] == [False, True, False]


def test_a_study_that_starts_from_another_comes_after_it(monkeypatch):
    earlier = study("zz_first", search("toy", ("level",), n_configurations=2, n_seeds=1))
    later = study("aa_later", around("zz_first", one_factor("toy", {"mode": ["worse"]})))
    known = {one.name: one for one in (later, earlier, FIRST)}
    monkeypatch.setattr(study_list.discovery, "names", lambda kind, plugins: sorted(known))
    monkeypatch.setattr("orchestrator.study.load", lambda name, plugins: known[name])
    assert [one.name for one in study_list.studies_of_tier("local", TOY)] == ["first", "zz_first", "aa_later"]


def test_only_studies_that_have_the_tier_are_run_at_it(monkeypatch):
    from orchestrator.study import Tier

    known = {"first": FIRST, "tiered": replace(FIRST, name="tiered", tiers={"paper": Tier(datasets=("digits",))})}
    monkeypatch.setattr(study_list.discovery, "names", lambda kind, plugins: sorted(known))
    monkeypatch.setattr("orchestrator.study.load", lambda name, plugins: known[name])
    assert [one.key for one in study_list.studies_of_tier("paper", ())] == ["tiered.paper"]
    with pytest.raises(OrchestratorError, match="no study has a tier 'moon'"):
        study_list.studies_of_tier("moon", ())


@pytest.mark.slow
@pytest.mark.sample
def test_plan_of_all_prices_every_study_of_the_project(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["plan", "--all", "--json", "--results", str(tmp_path / "none")])
    assert caught.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert {"quickstart", "hard_or_soft"} <= {line["study"] for line in found["studies"]}
    assert found["missing"] > 0


def test_a_report_of_a_study_under_way_is_a_look_that_is_remembered(tmp_path):
    asked = study("peeked", seeds=12)
    with Ledger(tmp_path, writable=True) as ledger:
        stop = lambda progress: progress.complete >= 20 and runner.stop("enough")  # noqa: E731  # it names the runner
        runner = Runner(plan_of(asked, Catalogue(TOY)), ledger, RunOptions(plugins=TOY), stop)
        InlineExecutor().run(runner)
        runner.write_record()
    reporting.report("peeked", request(tmp_path).reporting)
    (seen,) = looks_of(tmp_path, "peeked")
    assert not seen["planned"] and seen["n_seeds"] == 8
    reporting.report("peeked", request(tmp_path).reporting)
    assert len(looks_of(tmp_path, "peeked")) == 1
    (shown,) = study_view.load_all(tmp_path)
    assert looks_sentence(shown.record).startswith("1 look taken at the results, with 8 seeds, which was not planned.")
    session.run_study(asked, request(tmp_path), InlineExecutor())
    assert [look["n_seeds"] for look in looks_of(tmp_path, "peeked")] == [seen["n_seeds"], 12]
    reporting.report("peeked", request(tmp_path).reporting)
    assert len(looks_of(tmp_path, "peeked")) == 2


def looks_of(results, name):
    return Ledger(results).studies.read(name)[0]["looks_taken"]


def test_a_run_says_where_the_dashboard_of_its_cluster_is(tmp_path, capsys, monkeypatch):
    heard = []
    monkeypatch.setattr(InlineExecutor, "dashboard", lambda self: "http://head:8265")
    monkeypatch.setattr(session.console.Watch, "update", lambda *_: heard.append(status(tmp_path)))
    asked = replace(request(tmp_path), as_json=False)
    session.run_study(FIRST, asked, InlineExecutor())
    assert "Ray dashboard: http://head:8265" in capsys.readouterr().out
    assert "Ray dashboard: http://head:8265" in heard[-1][0]["running"]


def test_a_report_is_prepared_while_trials_are_trained_and_only_if_there_will_be_one(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(session.ReportAhead, "_load", lambda ahead: started.append(1))
    asked = request(tmp_path)
    session.run_study(FIRST, asked, InlineExecutor())
    assert not started
    monkeypatch.setattr(session, "answer", lambda *_: None)
    asked = replace(request(tmp_path), report=True)
    session.run_study(FIRST, asked, InlineExecutor())
    assert not started  # all is in the ledger: the report is made from what it finds, or was made before
    session.run_study(SECOND, asked, InlineExecutor())
    assert len(started) == 1
