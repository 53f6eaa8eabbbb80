"""Few rows of a large file are read column by column, and are those that reading all of it gives."""

import numpy as np
import pyarrow as pa
import pytest

from orchestrator.ledger import Ledger
from orchestrator.ledger.rows import contents
from orchestrator.ledger.rows.view import rows_of
from orchestrator.trial import TrialOutcome, TrialSpec, TrialState


def outcome(seed):
    spec = TrialSpec(
        method="one", method_version=1, config={"lr": 0.1}, dataset="d", dataset_digest="1", seed=seed, n_epochs=9
    )
    return TrialOutcome(spec=spec, attempt=1, state=TrialState.COMPLETE, metrics={"acc": seed / 100})


def epochs_of(outcomes):
    random = np.random.default_rng(0)
    lines = [(one.spec.trial_id, epoch) for one in outcomes for epoch in range(1, 10)]
    return pa.table(
        {
            "trial_id": [trial_id for trial_id, _ in lines],
            "attempt": [1] * len(lines),
            "epoch": [epoch for _, epoch in lines],
            "seconds": random.random(len(lines)),
            "metric.acc": pa.array(random.random(len(lines)), mask=random.random(len(lines)) < 0.3),
        }
    )


@pytest.mark.parametrize("n_asked", [0, 1, 3, 30, 50])
def test_the_rows_of_some_trials_are_those_of_the_whole_table(tmp_path, monkeypatch, n_asked):
    monkeypatch.setattr(contents, "KEY_ROWS", 7)  # so that keys come in several pieces
    outcomes = [outcome(seed) for seed in range(50)]
    with Ledger(tmp_path, writable=True) as ledger:
        ledger.append(outcomes, epochs_of(outcomes))
    reader = Ledger(tmp_path)
    asked = [one.spec.trial_id for one in outcomes[::-1][:n_asked]]
    of_asked = pa.table({"trial_id": pa.array(asked, pa.string()), "attempt": pa.array([1] * n_asked, pa.int64())})
    whole = reader.epoch_table()
    if n_asked:
        assert reader.epoch_table(asked).equals(rows_of(whole, of_asked))
    assert len(reader.epoch_table(asked)) == 9 * n_asked
    rows = reader.table()
    mask = pa.array([trial_id in set(asked) for trial_id in rows["trial_id"].to_pylist()])
    found = reader.table(only=asked)
    assert not n_asked or found.equals(rows.filter(mask).select(found.column_names))
