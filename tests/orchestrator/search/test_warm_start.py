"""A search may begin from earlier configurations of the ledger: those that it could have asked for itself."""

import json
import math
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from orchestrator.designs.around import around
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.errors import RequestError
from orchestrator.executors.inline import InlineExecutor
from orchestrator.knobs import Float
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.search import rounds
from orchestrator.search.journal import journal_of
from orchestrator.study import Study
from orchestrator.study.settings import with_settings

TOY = (str(Path(__file__).parents[1] / "toy"),)
FIRST = search("toy", ("level",), n_configurations=6, n_seeds=2, round_size=3)
WARM = search("toy", ("level",), n_configurations=4, n_seeds=2, round_size=2, warm_start=20, base={"mode": "plain"})


def study(design, name, **changes):
    fields = {"datasets": ("gaussians",), "n_epochs": 3, "exploratory": True, "seeds": 4}
    return Study(question="?", design=design, name=name, **{**fields, **changes})


class Stops(InlineExecutor):
    """Dies after some bundles."""

    def __init__(self, n_bundles):
        super().__init__()
        self.left = n_bundles

    def train(self, source, task):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        super().train(source, task)


def run(asked, folder, executor=None):
    with Ledger(folder, writable=True) as ledger:
        runner = Runner(plan_of(asked, Catalogue(TOY)), ledger, RunOptions(plugins=TOY))
        runner.write_record()  # as the command does: before anything is trained
        (executor or InlineExecutor()).run(runner)
        runner.write_record()
    return runner


def proposals(runner):
    return [dict(proposal.values) for proposal in runner.schedule.searches[0].rounds.proposals.values()]


@pytest.fixture
def results(tmp_path):
    """The ledger of another study's search, and of confirm trials around its choice."""
    run(study(around(FIRST, one_factor("toy", {"level": [0.123]})), "first"), tmp_path)
    return tmp_path


def test_a_search_begins_from_the_search_trials_of_another_study_and_says_so(results):
    first = proposals(run(study(FIRST, "first"), results))
    runner = run(study(WARM, "second"), results)
    found = proposals(runner)
    assert sorted(map(str, found[:6])) == sorted(map(str, first))  # not 0.123, whose trials have confirm seeds
    assert len(found) == 6 + 4
    assert (runner.progress.hits, runner.progress.trained) == (6 * 2, 4 * 2)
    assert runner.progress.total == 20
    entry = Ledger(results).studies.read("second")[0]["searches"][0]
    assert [bool(told.get("warm_start")) for told in entry["history"]] == [True] * 6 + [False] * 4
    assert entry["warm_start"] == {"at_most": 20, "trial_ids": [told["trial_ids"] for told in entry["history"][:6]]}
    cold = proposals(run(study(replace(WARM, warm_start=0), "cold"), results))
    assert found[6] != cold[0]  # it has learnt, where the cold search begins at random


def test_the_choice_may_be_an_earlier_one_since_its_seeds_are_the_same(results):
    runner = run(
        study(replace(WARM, over={"level": Float(0.0, 0.9)}, n_configurations=1, round_size=1), "second"), results
    )
    told = {number: told.objectives[0] for number, told in runner.schedule.searches[0].rounds.told.items()}
    best = max(told, key=told.get)
    assert runner.schedule.searches[0].chosen == runner.schedule.searches[0].rounds.proposals[best].values


def test_a_killed_search_goes_on_from_the_same_earlier_configurations(results, tmp_path_factory):
    asked = study(WARM, "second")
    with pytest.raises(KeyboardInterrupt):
        run(asked, results, Stops(1))
    more = search("toy", ("level",), n_configurations=3, n_seeds=2, round_size=3, sampler="random")
    run(study(more, "between"), results)  # what has come since does not count
    runner = run(asked, results)
    other = tmp_path_factory.mktemp("undisturbed")
    run(study(FIRST, "first"), other)
    assert proposals(runner) == proposals(run(asked, other))
    assert proposals(run(asked, results)) == proposals(runner)  # nor do its own


@pytest.mark.parametrize(
    "changes",
    [
        {"n_seeds": 3},
        {"n_epochs": 5},
        {"base": {"mode": "worse"}},
        {"over": {"level": Float(0.999, 1.0)}},
        {"rules": ("silhouette",)},
    ],
)
def test_what_the_search_would_not_have_asked_for_or_cannot_compare_is_left_out(results, changes):
    with Ledger(results, writable=True) as ledger:
        runner = Runner(
            plan_of(study(replace(WARM, **changes), "second"), Catalogue(TOY)), ledger, RunOptions(plugins=TOY)
        )
        runner.write_record()
    assert runner.schedule.searches[0].rounds.n_earlier == 0
    assert Ledger(results).studies.read("second")[0]["searches"][0]["warm_start"]["trial_ids"] == []


def test_at_most_so_many_are_taken_and_no_result_decides_which(results):
    runner = run(study(replace(WARM, warm_start=2), "second"), results)
    entry = Ledger(results).studies.read("second")[0]["searches"][0]
    every = Ledger(results).studies.read("first")[0]["searches"][0]["history"]
    assert entry["warm_start"]["trial_ids"] == sorted(told["trial_ids"] for told in every)[:2]
    assert runner.schedule.searches[0].rounds.n_earlier == 2


def test_optunas_view_marks_them(results, tmp_path):
    runner = run(study(WARM, "second"), results)
    path = tmp_path / "optuna.journal"
    path.write_bytes(journal_of({"toy": runner.schedule.searches[0].rounds}))
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    trials = optuna.load_study(study_name="toy", storage=storage).trials
    assert [trial.user_attrs.get("warm_start", False) for trial in trials] == [True] * 6 + [False] * 4


def test_a_setting_turns_it_on_for_every_search_of_a_study():
    asked = study(around(FIRST, one_factor("toy", {"mode": ["worse"]})), "first")
    changed = with_settings(asked, ["warm_start=7"])
    assert [one.warm_start for one in changed.searches()] == [7]
    assert json.dumps(changed.settings) == '["warm_start=7"]'
    with pytest.raises(RequestError, match="study x has no search"):
        with_settings(study(one_factor("toy", {"mode": ["worse"]}), "x"), ["warm_start=7"])
    with pytest.raises(RequestError, match="warm_start is a whole number"):
        with_settings(asked, ["warm_start=many"])


@pytest.mark.parametrize("sampler", ["random", "qmc", "nsga2", "cmaes"])
def test_a_sampler_that_would_not_learn_from_them_is_refused(sampler):
    with pytest.raises(RequestError, match=rf"'{sampler}' does not learn .* warm_start takes tpe or gp"):
        search("toy", ("level",), sampler=sampler, warm_start=3).check_kinds()


def test_a_search_that_another_processor_replays_finds_its_trials_again(tmp_path, monkeypatch):
    asked = study(around(FIRST, one_factor("toy", {"mode": ["worse"]})), "moved")
    with pytest.raises(KeyboardInterrupt):
        run(asked, tmp_path, Stops(3))
    with Ledger(tmp_path) as ledger:
        before = set(ledger.trials()["trial_id"])
    assert before
    drawn = rounds.suggested

    def other_bits(trial, name, domain):
        value = drawn(trial, name, domain)
        return min(math.nextafter(value, math.inf), domain.high) if isinstance(domain, Float) else value

    monkeypatch.setattr(rounds, "suggested", other_bits)
    runner = run(asked, tmp_path)
    ids = {trial.spec.trial_id for trials in runner.schedule.searches[0].trials.values() for trial in trials}
    assert before <= ids
    with Ledger(tmp_path) as ledger:
        rows = ledger.trials()
    assert len(rows[rows["seed_block"] == "search"]) == FIRST.n_configurations * FIRST.n_seeds
