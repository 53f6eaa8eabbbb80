"""The ledger against a dictionary: any order of appends, repeats, compactions, crashes and merged folders."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from orchestrator.ledger import Ledger, files, schema
from orchestrator.ledger.rows import compaction
from orchestrator.trial import TrialOutcome, TrialSpec, TrialState

RANK = {TrialState.FAILED: 1, TrialState.PRUNED: 2, TrialState.COMPLETE: 3}

ATTEMPTS = st.tuples(st.integers(0, 5), st.integers(1, 3), st.sampled_from(list(TrialState)), st.integers(0, 3))
"""(seed, attempt, state, number of epoch rows)"""


def outcome(seed: int, attempt: int, state: TrialState, value: float) -> TrialOutcome:
    config = {"lr": 0.1} if seed % 2 else {"lr": 1, "heads": 3, "mode": "soft"}
    spec = TrialSpec(method="m", method_version=1, config=config, dataset="d", dataset_digest="x", seed=seed)
    return TrialOutcome(spec=spec, attempt=attempt, state=state, metrics={"value": value})


def epoch_rows(outcomes: list[TrialOutcome], counts: list[int]) -> pa.Table:
    each = [(one, epoch) for one, n in zip(outcomes, counts, strict=True) for epoch in range(n)]
    return pa.table(
        {
            "trial_id": pa.array([one.spec.trial_id for one, _ in each], pa.string()),
            "attempt": pa.array([one.attempt for one, _ in each], pa.int64()),
            "epoch": pa.array([epoch for _, epoch in each], pa.int64()),
            "metric.value": pa.array([one.metrics["value"] for one, _ in each], pa.float64()),
        }
    )


class LedgerMachine(RuleBasedStateMachine):
    """`known` is what the ledger must say: (trial_id, attempt) -> (rank, value, number of epoch rows)."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.known: dict[tuple[str, int], tuple[int, float, int]] = {}
        self.clock = 0
        self.ledger = Ledger(self.folder / "results", writable=True).__enter__()

    @rule(attempts=st.lists(ATTEMPTS, min_size=1, max_size=6, unique_by=lambda one: one[:2]))
    def append(self, attempts: list[tuple[int, int, TrialState, int]]) -> None:
        self.clock += 1
        outcomes = [outcome(seed, attempt, state, self.clock) for seed, attempt, state, _ in attempts]
        counts = [one[3] for one in attempts]
        written = self.ledger.append(outcomes, epoch_rows(outcomes, counts))
        news = 0
        for one, n in zip(outcomes, counts, strict=True):
            key = (one.spec.trial_id, one.attempt)
            if RANK[one.state] > self.known.get(key, (0,))[0]:
                self.known[key] = (RANK[one.state], float(self.clock), n)
                news += 1
        assert written == news

    @rule()
    def compact(self) -> None:
        self.ledger.compact()

    @rule(deleted=st.integers(0, 3))
    def compact_and_crash_while_deleting(self, deleted: int) -> None:
        left = [deleted]

        def discard(path: Path) -> None:
            if left[0]:
                left[0] -= 1
                path.unlink()

        with mock.patch.object(compaction.files, "discard", discard):
            self.ledger.compact()
        self.reopen()

    @rule(seed=st.integers(0, 5))
    def crash_between_epochs_and_trials(self, seed: int) -> None:
        rows = schema.epochs_table(epoch_rows([outcome(seed, 1, TrialState.COMPLETE, -1.0)], [2]))
        files.write_batch(self.folder / "results" / "epochs", rows, small=True, batch=files.new_batch())
        (self.folder / "results" / "trials" / ".half.parquet.tmp").write_bytes(b"PAR1")
        self.reopen()

    @rule()
    def reopen(self) -> None:
        self.ledger.close()
        self.ledger = Ledger(self.folder / "results", writable=True).__enter__()

    @rule()
    def copy_of_everything_comes_back(self) -> None:
        """Files of a backup are copied over the folder: nothing may count twice."""
        backup = self.folder / "backup"
        if backup.exists():
            shutil.copytree(backup, self.folder / "results", dirs_exist_ok=True)
            self.reopen()
        shutil.copytree(self.folder / "results", backup, dirs_exist_ok=True)

    @invariant()
    def a_fresh_reader_and_the_driver_see_the_dictionary(self) -> None:
        if not hasattr(self, "ledger"):
            return
        best: dict[str, tuple[int, int]] = {}
        for (trial_id, attempt), (rank, _, _) in self.known.items():
            best[trial_id] = max(best.get(trial_id, (0, 0)), (rank, attempt))
        for ledger in (self.ledger, Ledger(self.folder / "results")):
            view = ledger.trials()
            assert dict(zip(view["trial_id"], view["attempt"], strict=True)) == {k: v[1] for k, v in best.items()}
            every = ledger.trials(view=False)
            values = zip(every["trial_id"], every["attempt"], every.get("metric.value", []), strict=True)
            assert sorted(values) == sorted((*key, value) for key, (_, value, _) in self.known.items())
            assert self.epochs_of(ledger, view=False) == self.expected_epochs(set(self.known))
            assert self.epochs_of(ledger, view=True) == self.expected_epochs({(k, v[1]) for k, v in best.items()})
            assert ledger.complete(best) == {trial_id for trial_id, (rank, _) in best.items() if rank == 3}

    @staticmethod
    def epochs_of(ledger: Ledger, view: bool) -> list[tuple[str, int, int, float]]:
        rows = ledger.epochs(view=view)
        if rows.empty:
            return []
        return sorted(zip(rows["trial_id"], rows["attempt"], rows["epoch"], rows["metric.value"], strict=True))

    def expected_epochs(self, keys: set[tuple[str, int]]) -> list[tuple[str, int, int, float]]:
        known = {key: self.known[key] for key in keys}
        return sorted((*key, epoch, value) for key, (_, value, n) in known.items() for epoch in range(n))

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            assert self.ledger.doctor.problems() == []
            self.ledger.close()
            shutil.rmtree(self.folder)


def _settings(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )


@pytest.fixture
def no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync is what the tests of kills are for; here it only costs time."""
    monkeypatch.setattr(files.os, "fsync", lambda descriptor: None)


@pytest.mark.usefixtures("no_fsync")
def test_the_ledger_says_what_a_dictionary_would() -> None:
    run_state_machine_as_test(LedgerMachine, settings=_settings(4, 8))


@pytest.mark.slow
@pytest.mark.usefixtures("no_fsync")
def test_the_ledger_says_what_a_dictionary_would_through_long_histories() -> None:
    run_state_machine_as_test(LedgerMachine, settings=_settings(30, 20))
