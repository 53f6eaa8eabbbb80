"""What need not be trained: results of the past and of this run, and what of a ledger counts as one."""

import math

import pyarrow as pa
import pytest

from orchestrator.ledger import Ledger
from orchestrator.plan.trials import TrialResult
from orchestrator.run.known_results import KnownResults, results_of_ledger
from orchestrator.trial import FailureKind, SeedBlock, TrialOutcome, TrialSpec, TrialState


def result(state=TrialState.COMPLETE):
    return TrialResult(state=state, collapsed=False, metrics={}, curve={}, stages="", failure_kind="")


def spec(seed, method="toy", block=SeedBlock.CONFIRM):
    facts = {"dataset": "digits", "dataset_digest": "d", "seed_block": block, "n_epochs": 2}
    return TrialSpec(method=method, method_version=1, config={}, seed=seed, **facts)


def test_a_result_of_this_run_comes_before_one_of_the_past():
    known = KnownResults({"a": result(TrialState.PRUNED)})
    assert known.get("a").state is TrialState.PRUNED and known.of_this_run("a") is None
    known.add("a", result())
    assert known.get("a").state is TrialState.COMPLETE and known.of_this_run("a") is known.get("a")
    assert known.n_known(["a", "b"]) == 1


def test_a_pruned_trial_is_forgotten_where_it_is_no_hit_and_a_complete_one_is_not():
    known = KnownResults({"a": result(TrialState.PRUNED), "b": result()})
    for trial_id in ("a", "b", "c"):
        known.forget_pruned(trial_id)
    assert known.get("a") is None and known.get("b") is not None


@pytest.fixture
def ledger(tmp_path):
    outcomes = [
        TrialOutcome(spec=spec(0), attempt=1, state=TrialState.COMPLETE, metrics={"acc": 0.5, "nmi": math.nan}),
        TrialOutcome(spec=spec(1), attempt=1, state=TrialState.FAILED, failure_kind=FailureKind.BUG),
        TrialOutcome(spec=spec(2), attempt=1, state=TrialState.FAILED, failure_kind=FailureKind.INFRASTRUCTURE),
        TrialOutcome(spec=spec(3, "other"), attempt=1, state=TrialState.COMPLETE),
        TrialOutcome(spec=spec(4, block=SeedBlock.SEARCH), attempt=1, state=TrialState.PRUNED),
    ]
    searched = outcomes[-1].spec.trial_id
    curve = pa.table({"trial_id": [searched] * 2, "attempt": [1, 1], "epoch": [1, 2], "metric.acc": [0.1, None]})
    with Ledger(tmp_path, writable=True) as ledger:
        ledger.append(outcomes, curve)
        yield ledger


def test_failures_that_would_repeat_themselves_count_and_others_are_trained_again(ledger):
    found = results_of_ledger(ledger, ["toy"], None, (), curves=False)
    assert set(found) == {spec(0).trial_id, spec(1).trial_id, spec(4, block=SeedBlock.SEARCH).trial_id}
    assert found[spec(0).trial_id].metrics == {"acc": 0.5}
    assert found[spec(1).trial_id].failure_kind == "bug"
    again = results_of_ledger(ledger, ["toy"], None, {FailureKind.BUG}, curves=False)
    assert spec(1).trial_id not in again


def test_of_other_code_nothing_counts(ledger):
    assert results_of_ledger(ledger, ["toy"], {"of today"}, (), curves=False) == {}


def test_a_search_that_prunes_gets_the_curves_of_its_trials(ledger):
    searched = spec(4, block=SeedBlock.SEARCH).trial_id
    assert results_of_ledger(ledger, ["toy"], None, (), curves=False)[searched].curve == {}
    curve = results_of_ledger(ledger, ["toy"], None, (), curves=True)[searched].curve
    assert curve[1] == {"acc": 0.1} and math.isnan(curve[2]["acc"])
