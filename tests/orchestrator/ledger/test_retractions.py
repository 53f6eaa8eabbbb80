"""A retracted trial stays visible and counts as nothing; what is trained after it counts again."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from orchestrator.errors import LedgerError, RequestError
from orchestrator.ledger import Ledger
from orchestrator.ledger.exporting import export_ledger
from orchestrator.ledger.retractions import FILE
from orchestrator.trial import TrialOutcome, TrialSpec, TrialState


def outcome(seed: int, attempt: int = 1, nmi: float = 0.5) -> TrialOutcome:
    spec = TrialSpec(method="m", method_version=1, config={"lr": 0.1}, dataset="d", dataset_digest="x", seed=seed)
    return TrialOutcome(spec=spec, attempt=attempt, state=TrialState.COMPLETE, metrics={"nmi": nmi})


def epochs(one: TrialOutcome) -> pa.Table:
    return pa.table({"trial_id": [one.spec.trial_id], "attempt": [one.attempt], "epoch": [1]})


ID = outcome(0).spec.trial_id


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three complete trials."""
    with Ledger(tmp_path / "results", writable=True) as ledger:
        for seed in range(3):
            ledger.append([outcome(seed)], epochs(outcome(seed)))
    return tmp_path / "results"


def test_a_retracted_trial_is_no_hit_and_in_no_view_and_its_rows_stay(results: Path) -> None:
    with Ledger(results, writable=True) as ledger:
        assert ledger.retract([ID], "trained on the wrong data") == 1
        for reader in (ledger, Ledger(results)):
            assert reader.complete([ID]) == set()
            assert reader.states([ID]) == {}
            assert ID not in set(reader.trials()["trial_id"])
            assert ID not in set(reader.epochs()["trial_id"])
            assert len(reader.trials(view=False)) == 3
            assert len(reader.trials(view=False, only=[ID])) == 1
            assert reader.next_attempt(ID) == 2
        assert ledger.retracted()[ID].reason == "trained on the wrong data"
        ledger.compact()
        assert len(ledger.trials()) == 2
    assert len(Ledger(results).trials()) == 2
    assert Ledger(results).doctor.problems() == []


def test_what_is_trained_after_a_retraction_counts(results: Path) -> None:
    with Ledger(results, writable=True) as ledger:
        ledger.retract([ID], "wrong data")
        assert ledger.append([outcome(0, attempt=2, nmi=0.9)], epochs(outcome(0, attempt=2))) == 1
        assert ledger.complete([ID]) == {ID}
    frame = Ledger(results).trials(only=[ID])
    assert (frame["attempt"].tolist(), frame["metric.nmi"].tolist()) == ([2], [0.9])
    assert Ledger(results).epochs([ID])["attempt"].tolist() == [2]
    with Ledger(results, writable=True) as ledger:
        ledger.retract([ID], "wrong again")
        assert ledger.complete([ID]) == set()
        assert ledger.next_attempt(ID) == 3


@pytest.mark.parametrize("ids", [[], ["f" * 20], [ID, "f" * 20]])
def test_only_what_counts_can_be_retracted(results: Path, ids: list[str]) -> None:
    with Ledger(results, writable=True) as ledger:
        with pytest.raises(RequestError, match="there is nothing to retract"):
            ledger.retract(ids, "why")
        assert len(ledger.trials()) == 3


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 501, "\x1b[2J"])
def test_a_retraction_says_why(results: Path, reason: str) -> None:
    with Ledger(results, writable=True) as ledger, pytest.raises(RequestError, match="says why"):
        ledger.retract([ID], reason)
    assert not (results / FILE).exists()


LINE = f'{{"trial_id": "{ID}", "up_to": 1, "reason": "r", "at": "now"}}\n'


@pytest.mark.parametrize(
    "text",
    ["null\n", "[" * 5_000, LINE.replace(ID, "../x"), LINE.replace("1", "true"), LINE.replace('"r"', "7"), "{}\n"],
)
def test_a_file_that_holds_no_retractions_is_named_and_nothing_is_guessed(results: Path, text: str) -> None:
    (results / FILE).write_text(LINE + text)
    with pytest.raises(LedgerError, match=r"retracted.jsonl' holds no retraction in line 2"):
        Ledger(results).trials()


def test_a_kept_ledger_keeps_what_was_retracted(results: Path, tmp_path: Path) -> None:
    with Ledger(results, writable=True) as ledger:
        ledger.studies.write(
            "s", {"metric": "nmi"}, pa.table({"trial_id": [outcome(seed).spec.trial_id for seed in (0, 1)]})
        )
        ledger.retract([ID], "wrong data")
        with pytest.raises(RequestError, match=r"no study .* has run to its end"):
            export_ledger(results, tmp_path / "kept", 2**20)
        ledger.append([outcome(0, attempt=2)], epochs(outcome(0, attempt=2)))
    export_ledger(results, tmp_path / "kept", 2**20)
    kept = Ledger(tmp_path / "kept")
    assert kept.retracted()[ID].reason == "wrong data"
    assert kept.trials(only=[ID])["attempt"].tolist() == [2]
    assert len(kept.trials(view=False, only=[ID])) == 2
