"""A kept ledger holds what the studies ask for, bit for bit, carries no path, and is small enough."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestrator.errors import RequestError
from orchestrator.ledger import Ledger
from orchestrator.ledger.exporting import MARGIN_BYTES, MARK, export_ledger, thinned
from orchestrator.ledger.rows import evaluations, streaming
from orchestrator.trial import FailureKind, TrialOutcome, TrialSpec, TrialState

N_EPOCHS = 40


def spec(seed):
    return TrialSpec(
        method="toy",
        method_version=1,
        config={"lr": 0.1},
        dataset="d",
        dataset_digest="x",
        seed=seed,
        n_epochs=N_EPOCHS,
    )


@pytest.fixture
def results(tmp_path):
    """Six trials, one of them failed twice and one asked for by no study."""
    random = np.random.default_rng(0)
    folder = tmp_path / "results"
    error = 'Traceback:\n  File "/home/someone/site-packages/torch/nn.py", line 3\nValueError: at /tmp/x/y.bin'
    with Ledger(folder, writable=True) as ledger:
        for seed in range(6):
            one = spec(seed)
            failed = TrialOutcome(
                spec=one, attempt=1, state=TrialState.FAILED, failure_kind=FailureKind.BUG, error=error
            )
            if seed == 2:
                ledger.append([failed])
            nmi = random.random(N_EPOCHS)
            rows = {"trial_id": [one.trial_id] * N_EPOCHS, "attempt": [1 + (seed == 2)] * N_EPOCHS}
            rows |= {"epoch": list(range(1, N_EPOCHS + 1)), "metric.nmi": nmi, "diagnostic.x": random.random(N_EPOCHS)}
            done = TrialOutcome(
                spec=one, attempt=1 + (seed == 2), state=TrialState.COMPLETE, metrics={"nmi": float(nmi[-1])}
            )
            ledger.append([done], pa.table(rows))
        plan = pa.table({"trial_id": [spec(seed).trial_id for seed in range(5)]})
        ledger.studies.write("asked", {"metric": "nmi", "name": "asked"}, plan)
    return folder


def by_id(frame):
    keys = [name for name in ("trial_id", "attempt", "epoch") if name in frame]
    return frame.sort_values(keys).reset_index(drop=True).drop(columns="error", errors="ignore")


def test_what_the_studies_ask_for_comes_out_again_and_nothing_else(results, tmp_path):
    kept = export_ledger(results, tmp_path / "kept", 2**20)
    assert (kept.n_trials, kept.n_attempts, kept.n_evaluations) == (5, 6, 200)
    assert (kept.curves, kept.evaluations_a_trial) == ("exact", 0)
    before, after = Ledger(results), Ledger(tmp_path / "kept")
    asked = [spec(seed).trial_id for seed in range(5)]
    rows = before.trials(view=False)
    pd.testing.assert_frame_equal(
        by_id(after.trials(view=False)), by_id(rows[rows["trial_id"].isin(asked)]), check_exact=True
    )
    pd.testing.assert_frame_equal(by_id(after.epochs()), by_id(before.epochs(asked)), check_exact=True)
    assert after.studies.read("asked")[0] == before.studies.read("asked")[0]
    assert after.studies.read("asked")[1].equals(before.studies.read("asked")[1])
    assert after.doctor.problems() == []


def test_a_study_that_has_not_run_to_its_end_is_left_out_and_named(results, tmp_path):
    told = {"number": 0, "values": {}, "objective": None, "state": "failed", "trial_ids": []}
    search = {"method": "toy", "dataset": "d", "rules": ["nmi"], "sampler": "random", "n_seeds": 1, "space": {}}
    search |= {"n_configurations": 2, "chosen": None, "chosen_number": None, "history": [told]}
    half = {"metric": "nmi", "searches": [search]}
    with Ledger(results, writable=True) as ledger:
        ledger.studies.write(
            "missing", {"metric": "nmi"}, pa.table({"trial_id": [spec(0).trial_id, spec(99).trial_id]})
        )
        ledger.studies.write("searching", half, pa.table({"trial_id": [spec(0).trial_id]}))
    kept = export_ledger(results, tmp_path / "kept", 2**20)
    assert (kept.studies, kept.unfinished) == (("asked",), ("missing", "searching"))
    assert Ledger(tmp_path / "kept").studies.names() == ["asked"]


def test_no_path_of_the_machine_is_kept(results, tmp_path):
    export_ledger(results, tmp_path / "kept", 2**20)
    error = Ledger(tmp_path / "kept").trials(view=False)["error"].str.cat()
    assert 'File "nn.py", line 3\nValueError: at y.bin' in error
    assert "/" not in error


def test_the_same_rows_make_the_same_files(results, tmp_path):
    def contents(name):
        export_ledger(results, tmp_path / name, 2**20)
        return {str(p.relative_to(tmp_path / name)): p.read_bytes() for p in (tmp_path / name).rglob("*.*")}

    first = contents("kept")
    assert contents("other") == first
    assert contents("kept") == first
    assert {name.split("/")[0] for name in first} == {"trials", "epochs", "studies", MARK}


def test_curves_are_thinned_until_the_ledger_fits_and_the_verdicts_evaluations_stay(results, tmp_path):
    whole = export_ledger(results, tmp_path / "whole", 2**20)
    single = export_ledger(results, tmp_path / "single", whole.n_bytes + MARGIN_BYTES - 2**10)
    kept = export_ledger(results, tmp_path / "thin", single.n_bytes + MARGIN_BYTES - 2**10)
    assert kept.n_bytes < single.n_bytes < whole.n_bytes
    assert (single.curves, single.evaluations_a_trial, kept.curves) == ("single precision", 0, "single precision")
    assert 0 < kept.evaluations_a_trial < N_EPOCHS
    assert json.loads((tmp_path / "thin" / MARK).read_text())["evaluations_a_trial"] == kept.evaluations_a_trial
    before, after = Ledger(tmp_path / "whole").epochs(), Ledger(tmp_path / "thin").epochs()
    for trial, curve in before.groupby("trial_id"):
        thin = after[after["trial_id"] == trial]
        assert thin["metric.nmi"].max() == pytest.approx(curve["metric.nmi"].max(), rel=1e-7)
        assert {1, 32, N_EPOCHS} <= set(thin["epoch"])  # 32: the last before the final fifth
        assert len(thin) <= kept.evaluations_a_trial + 3


@pytest.mark.parametrize("most", [5, 8, 16, 24])
def test_a_short_curve_stays_whole_and_a_long_one_is_spread_evenly(most):
    table = pa.table(
        {
            "trial_id": ["short"] * 4 + ["long"] * 100,
            "attempt": [1] * 104,
            "epoch": [*range(1, 5), *range(1, 101)],
            "metric.nmi": [0.1] * 4 + [i / 100 for i in range(100)],
        }
    )
    found = thinned(table, ["metric.nmi"], most).to_pandas().groupby("trial_id")["epoch"].apply(list)
    assert found["short"] == [1, 2, 3, 4]
    assert (found["long"][0], found["long"][-1]) == (1, 100)
    assert 80 in found["long"]
    assert most <= len(found["long"]) <= most + 1
    assert np.diff(found["long"]).max() <= 100 / (most - 1) + 1


def test_a_limit_that_the_trials_alone_exceed_is_refused(results, tmp_path):
    with pytest.raises(RequestError, match="MB with 5 evaluations a trial; allowed are"):
        export_ledger(results, tmp_path / "kept", 100)
    assert not (tmp_path / "kept").exists()


def test_a_folder_of_something_else_is_never_overwritten(results, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    with pytest.raises(RequestError, match="something else than a kept ledger"):
        export_ledger(results, tmp_path / "notes", 2**20)
    assert (tmp_path / "notes" / "a.txt").read_text() == "mine"
    with pytest.raises(RequestError, match="no study was planned"):
        export_ledger(tmp_path / "nothing", tmp_path / "kept", 2**20)


def test_evaluations_that_are_sorted_by_way_of_the_disk_come_in_the_same_order(results, tmp_path, monkeypatch):
    whole = export_ledger(results, tmp_path / "whole", 2**20)
    monkeypatch.setattr(evaluations, "BUCKET_TRIALS", 2)
    monkeypatch.setattr(evaluations, "WAITING_ROWS", 7)
    parts = export_ledger(results, tmp_path / "parts", 2**20)
    assert (parts.n_trials, parts.n_evaluations) == (whole.n_trials, whole.n_evaluations)
    one, other = Ledger(tmp_path / "whole"), Ledger(tmp_path / "parts")
    pd.testing.assert_frame_equal(one.epochs(), other.epochs(), check_exact=True)
    pd.testing.assert_frame_equal(one.trials(view=False), other.trials(view=False), check_exact=True)
    assert not list(tmp_path.glob(".sorting-*"))


def test_a_kept_ledger_of_a_kept_one_says_how_exact_the_first_was(results, tmp_path):
    whole = export_ledger(results, tmp_path / "whole", 10**8)
    rows = json.loads((tmp_path / "whole" / MARK).read_text())
    (tmp_path / "whole" / MARK).write_text(json.dumps(rows | {"curves": "single precision"}))
    again = export_ledger(tmp_path / "whole", tmp_path / "again", 10**8)
    assert (whole.curves, again.curves) == ("exact", "single precision")


def test_a_kept_ledger_is_read_in_small_groups_of_rows(results, tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "GROUP_ROWS", 8)
    export_ledger(results, tmp_path / "kept", 10**8)
    (path,) = (tmp_path / "kept" / "epochs").glob("*.parquet")
    about = pq.ParquetFile(path).metadata
    assert max(about.row_group(group).num_rows for group in range(about.num_row_groups)) <= 8
