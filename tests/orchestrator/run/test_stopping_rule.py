"""Whether a sequential study may stop, and that a run and its report judge by the same table."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from analysis.data import study_view
from orchestrator.designs.one_factor import one_factor
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.plan.trials import TrialResult
from orchestrator.run.known_results import results_of_ledger
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.run.stopping_rule import arm_seed_values, may_stop
from orchestrator.study import Study, until_decided
from orchestrator.trial import TrialState

TOY = (str(Path(__file__).parents[1] / "toy"),)
ASKED = Study(
    question="does the toy work?",
    name="toystudy",
    design=one_factor("toy", {"mode": ["worse"]}),
    datasets=("gaussians",),
    n_epochs=3,
    seeds=until_decided((10, 20, 40)),
    margin=0.02,
)


def asked_at(n_seeds, gain, *, spread=0.002, collapsed=(), failed=()):
    """Plan, trials and results of a look at which the level leads by `gain` on every seed that works."""
    plan = plan_of(ASKED, Catalogue(TOY))
    planned = plan.confirm_trials(range(n_seeds))
    noise = np.random.default_rng(0).normal(0, spread, n_seeds)
    results = {}
    for trial in planned:
        level, seed = trial.role == "level", trial.spec.seed
        gone = level and seed in collapsed
        value = 0.1 if gone else 0.6 + level * (gain + noise[seed])
        lost = level and seed in failed
        results[trial.spec.trial_id] = TrialResult(
            state=TrialState.FAILED if lost else TrialState.COMPLETE,
            collapsed=gone,
            metrics={} if lost else {"nmi": value},
            failure_kind="diverged" if lost else "",
        )
    return plan, planned, results.get


def test_a_clear_difference_without_collapse_stops_at_the_first_look():
    assert may_stop(*asked_at(10, 0.1), {}, 10)
    assert may_stop(*asked_at(10, 0.0), {}, 10)  # no difference within the margin


def test_collapses_that_may_yet_show_that_one_works_less_often_go_on():
    assert not may_stop(*asked_at(10, 0.1, collapsed=range(4)), {}, 10)
    assert not may_stop(*asked_at(10, 0.1, failed=range(4)), {}, 10)


def test_an_arm_that_never_works_is_decided():
    assert may_stop(*asked_at(20, 0.0, collapsed=range(20)), {}, 20)


def test_what_is_open_goes_on_and_fixed_seeds_never_stop_early():
    assert not may_stop(*asked_at(10, 0.015, spread=0.03), {}, 10)
    _, planned, results = asked_at(10, 0.1)
    fixed = plan_of(Study(**{**{f: getattr(ASKED, f) for f in ("question", "name", "design", "datasets", "n_epochs",
                                                              "margin")}, "seeds": 10}), Catalogue(TOY))  # fmt: skip
    assert not may_stop(fixed, planned, results, {}, 10)


def test_the_first_plan_and_the_looks_of_the_record_are_paid_for():
    record = {"seeds": {"planned": [10], "file": [10, 20, 40]}, "looks_taken": [{"n_seeds": 10, "planned": True}]}
    # ten seeds were planned: at twenty nothing is left, and more seeds do not help
    assert not may_stop(*asked_at(10, 0.015, spread=0.03), {}, 10)
    assert may_stop(*asked_at(20, 0.1), record, 20)


def test_a_run_and_its_report_take_the_same_table(tmp_path):
    fixed = Study(question="?", name="fixed", design=ASKED.design, datasets=("gaussians",), n_epochs=3, seeds=6,
                  margin=0.02)  # fmt: skip
    with Ledger(tmp_path, writable=True) as ledger:
        runner = Runner(plan_of(fixed, Catalogue(TOY)), ledger, RunOptions(plugins=TOY))
        InlineExecutor().run(runner)
        runner.write_record()
        known = results_of_ledger(ledger, ["toy"], None, (), curves=False)
        planned = runner.schedule.planned
    of_run = arm_seed_values(planned, known.get, "nmi", range(6))
    of_report = study_view.arm_seed_values(study_view.load(tmp_path, "fixed"), "nmi")
    assert (of_run.arms, of_run.seeds, of_run.drawn) == (of_report.arms, of_report.seeds, of_report.drawn)
    for name in ("values", "collapsed", "failed", "works"):
        assert np.array_equal(getattr(of_run, name), getattr(of_report, name), equal_nan=name in ("values", "works"))
