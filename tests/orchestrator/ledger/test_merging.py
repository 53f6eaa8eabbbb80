"""Two results folders become one: every trial once, the same attempt once, and what disagrees is named."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from orchestrator.errors import LedgerError, RequestError
from orchestrator.ledger import Ledger
from orchestrator.trial import FailureKind, TrialOutcome, TrialSpec, TrialState

STARTED = 1_700_000_000.0


def outcome(seed: int, attempt: int = 1, nmi: float = 0.5, failed: bool = False, at: float = STARTED) -> TrialOutcome:
    spec = TrialSpec(method="m", method_version=1, config={"lr": 0.1}, dataset="d", dataset_digest="x", seed=seed)
    facts = {"started_at": at, "finished_at": at + 1, "bundle_id": "b"}
    if failed:
        kind = FailureKind.INFRASTRUCTURE
        return TrialOutcome(spec=spec, attempt=attempt, state=TrialState.FAILED, failure_kind=kind, facts=facts)
    return TrialOutcome(spec=spec, attempt=attempt, state=TrialState.COMPLETE, metrics={"nmi": nmi}, facts=facts)


def epochs(one: TrialOutcome) -> pa.Table:
    key = {"trial_id": [one.spec.trial_id] * 2, "attempt": [one.attempt] * 2, "epoch": [1, 2]}
    return pa.table({**key, "metric.nmi": [0.1, one.metrics.get("nmi", 0.0)]})


def folder(place: Path, *outcomes: TrialOutcome, study: str = "") -> Path:
    with Ledger(place, writable=True) as ledger:
        for one in outcomes:
            ledger.append([one], epochs(one))
        if study:
            plan = pa.table({"trial_id": sorted({one.spec.trial_id for one in outcomes})})
            ledger.studies.write(study, {"question": study}, plan)
    return place


def merged(one: Path, other: Path) -> tuple[int, int, int]:
    with Ledger(one, writable=True) as ledger:
        made = ledger.merge(other)
        assert ledger.doctor.problems() == []
        assert len(ledger.trials()) == len(Ledger(one).trials())
    return made.n_trials, made.n_attempts, made.n_agree


def test_trials_of_both_are_there_once_and_a_second_merge_adds_nothing(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", outcome(0), outcome(1), study="first")
    other = folder(tmp_path / "other", outcome(1, at=STARTED + 50), outcome(2), outcome(3), study="second")
    before = {path: path.read_bytes() for path in other.rglob("*.parquet")}
    assert merged(one, other) == (2, 2, 1)
    frame = Ledger(one).trials()
    assert sorted(frame["seed"]) == [0, 1, 2, 3]
    assert len(Ledger(one).epochs()) == 8
    assert Ledger(one).studies.names() == ["first", "second"]
    assert merged(one, other) == (0, 0, 3)
    assert len(Ledger(one).trials(view=False)) == 4
    assert {path: path.read_bytes() for path in other.rglob("*.parquet")} == before


def test_a_copy_that_went_on_elsewhere_comes_back_with_each_attempt_once(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", outcome(0, failed=True), outcome(1))
    copy = Path(shutil.copytree(one, tmp_path / "copy"))
    folder(one, outcome(0, attempt=2, failed=True, at=STARTED + 10), outcome(2))
    folder(copy, outcome(0, attempt=2, at=STARTED + 20), outcome(3))
    assert merged(one, copy) == (1, 2, 1)
    attempts = Ledger(one).trials(view=False, only=[outcome(0).spec.trial_id])
    assert attempts["attempt"].tolist() == [1, 2, 3]
    assert attempts["state"].tolist() == ["failed", "failed", "complete"]
    assert Ledger(one).epochs([outcome(0).spec.trial_id])["attempt"].tolist() == [3, 3]
    complete = Ledger(one).trials(view=False).query("state == 'complete'")
    assert not complete["trial_id"].duplicated().any()
    assert merged(one, copy) == (0, 0, 3)


def test_a_trial_with_other_numbers_is_named_and_nothing_is_merged(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", outcome(0), outcome(1))
    other = folder(tmp_path / "other", outcome(0), outcome(1, nmi=0.5000001, at=STARTED + 5), outcome(2))
    with Ledger(one, writable=True) as ledger:
        with pytest.raises(
            LedgerError, match=rf"trial {outcome(1).spec.trial_id} is complete in .*other numbers.* \(1 such of 2\)"
        ):
            ledger.merge(other)
        assert len(ledger.trials()) == 2
        ledger.retract([outcome(1).spec.trial_id], "the other machine is right")
        assert ledger.merge(other).n_attempts == 2
        assert ledger.trials(only=[outcome(1).spec.trial_id])["metric.nmi"].tolist() == [0.5000001]


def test_what_was_retracted_there_is_retracted_here(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", outcome(0, failed=True))
    other = folder(tmp_path / "other", outcome(0, at=STARTED + 9), outcome(1))
    with Ledger(other, writable=True) as ledger:
        ledger.retract([outcome(0).spec.trial_id], "wrong data")
    merged(one, other)
    assert Ledger(one).complete([outcome(seed).spec.trial_id for seed in (0, 1)]) == {outcome(1).spec.trial_id}
    assert Ledger(one).retracted()[outcome(0).spec.trial_id].reason == "wrong data"


def test_a_study_that_is_planned_otherwise_is_named_and_stays(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", outcome(0), study="s")
    other = folder(tmp_path / "other", outcome(0), outcome(1), study="s")
    with Ledger(one, writable=True) as ledger:
        made = ledger.merge(other)
    assert (made.studies, made.planned_otherwise) == ((), ("s",))
    assert "run them again here: s" in made.sentence(other)
    assert len(Ledger(one).studies.read("s")[1]) == 1


@pytest.mark.parametrize("name", ["one", "nothing"])
def test_a_folder_that_is_this_one_or_none_is_refused(tmp_path: Path, name: str) -> None:
    one = folder(tmp_path / "one", outcome(0))
    with Ledger(one, writable=True) as ledger, pytest.raises(RequestError, match="name another results folder"):
        ledger.merge(tmp_path / name)


def test_a_failure_that_only_repeats_itself_comes_once(tmp_path: Path) -> None:
    def diverged(at: float) -> TrialOutcome:
        kind = FailureKind.DIVERGED
        return replace(outcome(0, failed=True, at=at), failure_kind=kind)

    one = folder(tmp_path / "one", diverged(STARTED))
    other = folder(tmp_path / "other", diverged(STARTED + 50))
    assert merged(one, other) == (0, 0, 0)
    assert len(Ledger(one).trials(view=False, only=[outcome(0).spec.trial_id])) == 1
