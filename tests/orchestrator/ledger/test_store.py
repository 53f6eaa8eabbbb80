"""What the ledger promises: durable appends, one row a trial, hits, attempts, study files, one writer."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import orchestrator.ledger
from orchestrator.errors import LedgerError, LedgerLockedError, RequestError, UnknownNameError
from orchestrator.ledger import Ledger, columns
from orchestrator.trial import FailureKind, SeedBlock, TrialOutcome, TrialSpec, TrialState

COMPLETE, PRUNED, FAILED = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED


def spec(seed: int = 0, method: str = "entropy", **config: object) -> TrialSpec:
    config = config or {"lr": 0.1, "loss": "reverse", "heads": 2, "norm": True}
    return TrialSpec(
        method=method, method_version=1, config=config, dataset="digits", dataset_digest="d1", seed=seed, n_epochs=3
    )


def outcome(seed: int = 0, attempt: int = 1, state: TrialState = COMPLETE, **more: object) -> TrialOutcome:
    return TrialOutcome(**{"spec": spec(seed), "attempt": attempt, "state": state, **more})


def rows(*outcomes: TrialOutcome, n: int = 3, value: float = 0.5) -> pa.Table:
    each = [(o.spec.trial_id, o.attempt, epoch) for o in outcomes for epoch in range(1, n + 1)]
    trial_ids, attempts, epochs = zip(*each, strict=True)
    return pa.table(
        {
            "trial_id": trial_ids,
            "attempt": attempts,
            "epoch": epochs,
            "seconds": np.arange(len(each), dtype=float),
            "metric.acc": np.full(len(each), value),
        }
    )


def test_what_was_appended_is_read_back_by_another_reader_while_the_driver_holds_the_folder(tmp_path: Path) -> None:
    full = outcome(
        metrics={"acc": 0.5, "loss": math.nan},
        cost={"seconds": 1.5, "peak_memory_bytes": 3e6, "gpu_seconds": 0.0},
        facts={
            "bundle_id": "ab",
            "bundle_size": 4,
            "device": "cpu",
            "threads": 1,
            "started_at": 10.0,
            "finished_at": "2026-01-01T00:00:00+00:00",
            "code_digest": "cd",
            "git_commit": "",
            "versions": {"torch": "2"},
        },
    )
    with Ledger(tmp_path / "results", writable=True) as ledger:
        assert ledger.append([full], rows(full)) == 1
        reader = Ledger(tmp_path / "results")
        row = reader.trials().iloc[0]
        epochs = reader.epochs()
    assert row["trial_id"] == full.spec.trial_id
    assert (row["knob.lr"], row["knob.heads"], row["knob.loss"], bool(row["knob.norm"])) == (0.1, 2, "reverse", True)
    assert row["config"] == '{"heads":2,"loss":"reverse","lr":0.1,"norm":true}'
    assert row["metric.acc"] == 0.5
    assert math.isnan(row["metric.loss"])
    assert row["started_at"] == datetime.fromtimestamp(10, UTC)
    assert row["versions"] == '{"torch":"2"}'
    assert (row["state"], row["failure_kind"], row["seed_block"]) == ("complete", "", "confirm")
    assert epochs["epoch"].tolist() == [1, 2, 3]


def test_the_read_view_prefers_complete_then_pruned_then_failed_then_the_latest_attempt(tmp_path: Path) -> None:
    with Ledger(tmp_path, writable=True) as ledger:
        ledger.append([outcome(0, 1, FAILED), outcome(1, 1, PRUNED), outcome(2, 1, FAILED)])
        ledger.append([outcome(0, 2), outcome(1, 2, FAILED), outcome(2, 2, FAILED)])
        ledger.append([outcome(0, 3, FAILED)])
        view = ledger.trials().set_index("seed")
        assert view["state"].to_dict() == {0: "complete", 1: "pruned", 2: "failed"}
        assert view["attempt"].to_dict() == {0: 2, 1: 1, 2: 2}
        assert len(ledger.trials(view=False)) == 7
        assert ledger.trials(view=False, only=[spec(0).trial_id])["state"].tolist() == ["failed", "complete", "failed"]
        assert ledger.next_attempt(spec(0).trial_id) == 4
        assert ledger.next_attempt(spec(9).trial_id) == 1


def test_only_complete_trials_are_hits(tmp_path: Path) -> None:
    with Ledger(tmp_path, writable=True) as ledger:
        ledger.append([outcome(0), outcome(1, state=PRUNED), outcome(2, state=FAILED), outcome(3, collapsed=True)])
        asked = [spec(seed).trial_id for seed in range(5)]
        assert ledger.complete(asked) == {asked[0], asked[3]}
        assert ledger.states(asked) == dict(zip(asked, [COMPLETE, PRUNED, FAILED, COMPLETE], strict=False))


def test_an_attempt_is_written_once_and_a_better_state_of_it_counts(tmp_path: Path) -> None:
    with Ledger(tmp_path, writable=True) as ledger:
        first = outcome(0, 1, FAILED, failure_kind=FailureKind.BUG)
        assert ledger.append([first, first], rows(first, value=0.1)) == 1
        assert ledger.append([first], rows(first, value=0.2)) == 0
        better = outcome(0, 1)
        assert ledger.append([better], rows(better, value=0.3)) == 1
        assert ledger.append([first]) == 0
        assert ledger.trials(view=False)["state"].tolist() == ["complete"]
        assert ledger.epochs(view=False)["metric.acc"].tolist() == [0.3] * 3


def test_epoch_rows_are_those_of_the_attempt_in_the_view(tmp_path: Path) -> None:
    with Ledger(tmp_path, writable=True) as ledger:
        failed, complete, other = outcome(0, 1, FAILED), outcome(0, 2), outcome(1)
        ledger.append([failed, other], rows(failed, other, value=0.1))
        ledger.append([complete], rows(complete, value=0.2))
        epochs = ledger.epochs([spec(0).trial_id])
        assert set(zip(epochs["attempt"], epochs["metric.acc"], strict=True)) == {(2, 0.2)}
        assert len(ledger.epochs()) == 6
        assert len(ledger.epochs(view=False)) == 9


def test_epoch_rows_of_trials_that_are_not_appended_with_them_are_refused(tmp_path: Path) -> None:
    with Ledger(tmp_path, writable=True) as ledger:
        with pytest.raises(ValueError, match="not among the outcomes"):
            ledger.append([outcome(0)], rows(outcome(1)))
        with pytest.raises(ValueError, match="unknown columns"):
            ledger.append([outcome(0)], rows(outcome(0)).append_column("colour", pa.array([1, 2, 3])))
        with pytest.raises(ValueError, match="no column for weather"):
            ledger.append([outcome(0, facts={"weather": "fair"})])
        assert ledger.trials().empty


def test_rows_that_come_again_with_a_bundle_that_goes_on_are_left_out(tmp_path: Path) -> None:
    with Ledger(tmp_path, writable=True) as ledger:
        ended, later = outcome(0, state=FAILED), outcome(1)
        ledger.append([ended], rows(ended, value=0.1))
        assert ledger.append([later], rows(ended, later, value=0.2)) == 1
        assert ledger.append([], rows(ended, value=0.3)) == 0
        epochs = ledger.epochs()
        assert set(zip(epochs["trial_id"], epochs["metric.acc"], strict=True)) == {
            (spec(0).trial_id, 0.1),
            (spec(1).trial_id, 0.2),
        }


def test_a_knob_name_with_two_types_reads_as_numbers_or_as_text(tmp_path: Path) -> None:
    def of(method: str, **config: object) -> TrialOutcome:
        return TrialOutcome(spec=spec(0, method, **config), attempt=1, state=COMPLETE)

    with Ledger(tmp_path, writable=True) as ledger:
        ledger.append([of("a", size=1, mode=True), of("b", size=0.5, mode="fast"), of("c", other=3)])
        ledger.append([of("d", size=2, mode=1.5)])
        frame = ledger.trials().set_index("method")
    assert frame["knob.size"].dropna().to_dict() == {"a": 1.0, "b": 0.5, "d": 2.0}
    assert frame["knob.mode"].dropna().to_dict() == {"a": "true", "b": "fast", "d": "1.5"}
    assert frame["knob.other"].dropna().to_dict() == {"c": 3}


def test_a_folder_that_does_not_exist_is_an_empty_ledger_and_reading_does_not_make_it(tmp_path: Path) -> None:
    reader = Ledger(tmp_path / "deep" / "results")
    assert reader.trials().empty
    assert "trial_id" in reader.trials().columns
    assert reader.epochs().empty
    assert reader.complete(["x"]) == set()
    assert reader.doctor.problems() == []
    assert reader.studies.names() == []
    assert not (tmp_path / "deep").exists()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger, pytest.raises(LedgerError, match="reading only"):
        ledger.append([outcome(0)])


def test_a_second_driver_is_told_who_holds_the_folder_and_the_first_goes_on(tmp_path: Path) -> None:
    with Ledger(tmp_path, writable=True) as ledger:
        with (
            pytest.raises(LedgerLockedError, match=r"in use by process \d+ on .* since"),
            Ledger(tmp_path, writable=True),
        ):
            pass
        ledger.append([outcome(0)])
    with Ledger(tmp_path, writable=True) as ledger:
        assert len(ledger.trials()) == 1


def test_a_lock_left_by_a_killed_driver_does_not_block(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from orchestrator.ledger import Ledger\n"
        "Ledger(Path(sys.argv[1]), writable=True).__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, timeout=60)
    assert ended.returncode == -9
    assert (tmp_path / "lock").read_text()
    with Ledger(tmp_path, writable=True) as ledger:
        assert ledger.append([outcome(0)]) == 1


def test_compaction_changes_no_view_and_leaves_one_file_a_table(tmp_path: Path) -> None:
    with Ledger(tmp_path, writable=True) as ledger:
        for seed in range(12):
            failed, complete = outcome(seed, 1, FAILED), outcome(seed, 2)
            ledger.append([failed], rows(failed, value=seed))
            ledger.append([complete], rows(complete, value=-seed))
        before = [ledger.trials(), ledger.trials(view=False), ledger.epochs(), ledger.epochs(view=False)]
        ledger.compact()
        after = [ledger.trials(), ledger.trials(view=False), ledger.epochs(), ledger.epochs(view=False)]
        assert all(one.equals(other) for one, other in zip(before, after, strict=True))
        assert len(list((tmp_path / "trials").iterdir())) == len(list((tmp_path / "epochs").iterdir())) == 1
        assert Ledger(tmp_path).epochs().equals(before[2])


def test_a_study_and_its_plan_are_read_back_together(tmp_path: Path) -> None:
    plan = pa.table({"trial_id": ["a" * 20, "b" * 20], "arm": ["baseline", None], "seed": [0, 1]})
    with Ledger(tmp_path, writable=True) as ledger:
        ledger.studies.write("quickstart", {"alpha": 0.1}, plan)
        ledger.studies.write("quickstart", {"alpha": 0.2}, plan)
        study, read = ledger.studies.read("quickstart")
        assert (study, read.to_pydict()) == ({"alpha": 0.2}, plan.to_pydict())
        assert ledger.studies.names() == ["quickstart"]
        assert '"alpha": 0.2' in (ledger.studies.folder("quickstart") / "study.json").read_text()
        with pytest.raises(UnknownNameError, match="'other'; there are: quickstart"):
            ledger.studies.read("other")
        with pytest.raises(RequestError, match="is not made of letters"):
            ledger.studies.folder("../up")


def test_unfinished_bundles_are_those_with_checkpoints(tmp_path: Path) -> None:
    with Ledger(tmp_path, writable=True) as ledger:
        ledger.checkpoints.folder("ab").mkdir(parents=True)
        ledger.checkpoints.folder("cd").mkdir()
        (ledger.checkpoints.folder("ab") / "state.safetensors").write_bytes(b"x")
        assert ledger.checkpoints.unfinished() == ["ab"]
        ledger.checkpoints.forget("ab")
        assert ledger.checkpoints.unfinished() == []


def test_a_bundle_that_ends_while_unfinished_ones_are_looked_for_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger(tmp_path, writable=True) as ledger:
        for name in ("ab", "cd"):
            ledger.checkpoints.folder(name).mkdir(parents=True)
            (ledger.checkpoints.folder(name) / "state.safetensors").write_bytes(b"x")

        def first_ended(look: Any) -> Any:
            def looks(path: Any) -> Any:
                if not isinstance(path, int) and Path(path).name == "ab":
                    shutil.rmtree(path, ignore_errors=True)
                return look(path)

            return looks

        for look in ("scandir", "listdir"):
            monkeypatch.setattr(os, look, first_ended(getattr(os, look)))
        assert ledger.checkpoints.unfinished() == ["cd"]


def test_every_column_that_is_written_is_described(tmp_path: Path) -> None:
    described = [name for name, _, _ in columns()]
    with Ledger(tmp_path, writable=True) as ledger:
        ledger.append([outcome(0, metrics={"acc": 1.0})], rows(outcome(0)))
        written = [f"trials.{name}" for name in ledger.trials().columns]
        written += [f"epochs.{name}" for name in ledger.epochs().columns]
    families = tuple(name.removesuffix("<name>") for name in described if name.endswith("<name>"))
    assert all(name in described or name.startswith(families) for name in written)
    assert {name for name in described if "<" not in name} <= set(written)


def test_the_docstring_of_the_package_holds_the_table_of_columns() -> None:
    lines = [" ".join(line.split()) for line in (orchestrator.ledger.__doc__ or "").splitlines()]
    assert [line for line in lines if line.startswith(("trials.", "epochs."))] == [" ".join(one) for one in columns()]


def test_search_and_confirm_seeds_are_different_trials_in_the_ledger(tmp_path: Path) -> None:
    search = TrialSpec(**{**vars(spec(0)), "seed_block": SeedBlock.SEARCH})
    with Ledger(tmp_path, writable=True) as ledger:
        ledger.append([outcome(0), TrialOutcome(spec=search, attempt=1, state=COMPLETE)])
        assert sorted(ledger.trials()["seed_block"]) == ["confirm", "search"]
