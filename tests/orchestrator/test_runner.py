"""The runner: plan minus ledger, results durable before anyone is told, failures treated by kind."""

from pathlib import Path

import pytest

from orchestrator.designs.around import around
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger
from orchestrator.planning import Catalogue
from orchestrator.runner import Runner, RunOptions
from orchestrator.study import Study, until_decided
from orchestrator.trial import FailureKind

TOY = (str(Path(__file__).parent / "toy"),)
FINITE = one_factor("toy", {"mode": ["worse"], "level": [0.1]})
SEARCH = search("toy", ("level",), n_configurations=12, n_seeds=2, round_size=4)
COSTS = ("cost.", "started_at", "finished_at", "bundle")


def study(design=FINITE, **changes):
    fields = {"datasets": ("gaussians",), "n_epochs": 3, "seeds": 8, "name": "toystudy"}
    return Study(question="does the toy work?", design=design, **{**fields, **changes})


def run(asked, folder, executor=None, **options):
    """Run a study inline and return (runner, ledger's read view)."""
    with Ledger(folder, writable=True) as ledger:
        runner = Runner(asked, ledger, Catalogue(TOY), RunOptions(plugins=TOY, **options))
        (executor or InlineExecutor()).run(runner)
        runner.write_record()
    return runner, Ledger(folder).trials()


def truths(frame):
    """Return the rows without what may differ between two runs of the same trials."""
    kept = [column for column in frame if not column.startswith(COSTS)]
    return frame[kept].sort_values("trial_id").reset_index(drop=True)


class StopsAfter(InlineExecutor):
    """Dies silently after some bundles, in the middle of the next one."""

    def __init__(self, n_bundles):
        self.left = n_bundles

    def _train(self, source, task):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        super()._train(source, task)


def test_a_finite_study_trains_every_arm_on_every_seed_once(tmp_path):
    runner, rows = run(study(), tmp_path)
    assert runner.finished
    assert len(rows) == 3 * 8 == runner.progress.complete
    assert set(rows["state"]) == {"complete"}


def test_a_second_run_has_nothing_to_do_and_another_study_shares_the_trials(tmp_path):
    run(study(), tmp_path)
    again, rows = run(study(), tmp_path)
    assert again.progress.hits == 24
    assert again.progress.trained == 0
    other, rows = run(study(one_factor("toy", {"mode": ["same"]}), name="other"), tmp_path)
    assert (other.progress.hits, other.progress.trained) == (8, 8)
    assert len(rows) == 32


def test_more_seeds_train_only_the_new_ones(tmp_path):
    run(study(), tmp_path)
    runner, rows = run(study(seeds=10), tmp_path)
    assert (runner.progress.hits, runner.progress.trained, len(rows)) == (24, 6, 30)


def test_a_search_chooses_near_the_peak_and_the_ablation_runs_around_it_on_other_seeds(tmp_path):
    runner, rows = run(study(around(SEARCH, one_factor("toy", {"mode": ["worse"]}))), tmp_path)
    chosen = runner.searches[0].chosen["level"]
    tried = [proposal.values["level"] for proposal in runner.searches[0].rounds.proposals.values()]
    assert abs(chosen - 0.7) <= sorted(abs(value - 0.7) for value in tried)[1]  # noise may swap the first two
    assert {arm.arm.values["level"] for arm in runner.confirm.arms} == {chosen}
    assert set(rows.loc[rows["seed_block"] == "search", "seed"]) == {0, 1}
    assert len(rows) == 12 * 2 + 2 * 8


@pytest.mark.parametrize("n_bundles", [0, 3, 8])
def test_a_killed_run_goes_on_to_the_rows_of_an_undisturbed_one(tmp_path, n_bundles):
    asked = study(around(SEARCH, one_factor("toy", {"mode": ["worse"]})))
    undisturbed, whole = run(asked, tmp_path / "a")
    with pytest.raises(KeyboardInterrupt):
        run(asked, tmp_path / "b", StopsAfter(n_bundles))
    runner, rows = run(asked, tmp_path / "b")
    assert truths(rows).equals(truths(whole))
    assert runner.searches[0].chosen == undisturbed.searches[0].chosen
    assert runner.progress.trained + runner.progress.hits == len(whole)


def test_failures_stay_visible_and_are_not_repeated_unless_asked(tmp_path):
    design = one_factor("toy", {"trouble": ["bug", "nan", "collapse"]})
    runner, rows = run(study(design, failure_budget=1.0), tmp_path)
    assert runner.progress.failed == {"bug": 8, "diverged": 8}
    assert runner.progress.collapsed == 8
    bugs = rows[rows["failure_kind"] == "bug"]
    assert bugs["error"].str.contains("a bug in the toy").all()
    assert rows["state"].value_counts().to_dict() == {"complete": 16, "failed": 16}  # nobody took the bundle along
    again, _ = run(study(design, failure_budget=1.0), tmp_path)
    assert again.progress.trained == 0
    retried, rows = run(study(design, failure_budget=1.0), tmp_path, retry_failed=frozenset([FailureKind.BUG]))
    assert retried.progress.failed == {"bug": 8}
    assert set(rows.loc[rows["failure_kind"] == "bug", "attempt"]) == {2}


def test_a_spent_failure_budget_stops_the_run_and_says_why(tmp_path):
    design = one_factor("toy", {"trouble": ["bug"], "mode": ["worse"]})
    runner, rows = run(study(design, failure_budget=0.1), tmp_path)
    assert runner.stop_reason.startswith("failure budget spent")
    assert "allowed are 10%" in runner.stop_reason
    assert len(rows) < 24


def test_a_lost_bundle_is_planned_again_and_given_up_in_the_end(tmp_path):
    with Ledger(tmp_path, writable=True) as ledger:
        runner = Runner(study(), ledger, Catalogue(TOY), RunOptions(plugins=TOY))
        first = runner.next_task().bundle
        runner.lost(first, FailureKind.INFRASTRUCTURE, "the worker died")
        assert runner.next_task().bundle.bundle_id == first.bundle_id  # whole, so that it finds its checkpoint
        runner.lost(first, FailureKind.INFRASTRUCTURE, "the worker died")
        half = runner.next_task().bundle
        assert half.specs == first.specs[: len(half)]
        assert len(half) == len(first) / 2
        runner.lost(half, FailureKind.INFRASTRUCTURE, "the worker died")
        states = ledger.trials().set_index("trial_id")
    assert set(states["failure_kind"]) == {"infrastructure"}
    assert set(states.index) == {spec.trial_id for spec in half.specs}


def test_a_sequential_study_stops_at_the_look_that_decides_it(tmp_path):
    decided, _ = run(study(one_factor("toy", {"mode": ["worse"]}), seeds=until_decided((8, 16, 32))), tmp_path / "a")
    assert decided.confirm.n_seeds == 8
    asked = study(one_factor("toy", {"mode": ["same"]}), seeds=until_decided((8, 16)), margin=0.05)
    equivalent, _ = run(asked, tmp_path / "b")
    assert equivalent.confirm.n_seeds == 8
    record, _ = Ledger(tmp_path / "a").read_study("toystudy")
    assert [look["n_seeds"] for look in record["looks_taken"]] == [8]


def test_a_pruned_search_tells_optuna_and_keeps_the_pruned_rows(tmp_path):
    pruning = search("toy", ("level",), n_configurations=12, n_seeds=2, round_size=4, pruner="median")
    asked = study(around(pruning, one_factor("toy", {"mode": ["worse"]})), n_epochs=6)
    runner, rows = run(asked, tmp_path)
    pruned = [told for told in runner.searches[0].rounds.told.values() if told.state == "pruned"]
    assert pruned
    assert all(told.curve for told in pruned)
    assert len(pruned) <= (rows["state"] == "pruned").sum() <= 2 * len(pruned)  # a seed may end before it is judged
    assert set(rows.loc[rows["seed_block"] == "confirm", "state"]) == {"complete"}  # what is compared is never pruned
    again, _ = run(asked, tmp_path)
    assert again.searches[0].chosen == runner.searches[0].chosen


def test_a_time_budget_stops_cleanly(tmp_path):
    runner, _ = run(study(), tmp_path, time_budget=1e-9)
    assert "time budget" in runner.stop_reason
    assert run(study(), tmp_path)[0].progress.complete == 24


def test_only_current_ignores_rows_of_other_code(tmp_path, monkeypatch):
    run(study(), tmp_path)
    monkeypatch.setattr("orchestrator.runner.code_digest", lambda module: "other")
    monkeypatch.setattr("orchestrator.executors.worker.code_digest", lambda module: "other")
    assert run(study(), tmp_path)[0].progress.trained == 0
    assert run(study(), tmp_path, only_current=True)[0].progress.trained == 24
