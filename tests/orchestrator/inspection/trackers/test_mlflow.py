"""MLflow's own client reads from a local store what the ledger holds."""

import sys
from importlib.util import find_spec

import pytest

from orchestrator.errors import RequestError
from orchestrator.inspection import tracking
from orchestrator.inspection.trackers.mlflow import TRACKER
from orchestrator.ledger import Ledger

pytestmark = pytest.mark.skipif(find_spec("mlflow") is None, reason="mlflow is not installed")


def runs(folder):
    """Return trial_id -> run, read by a client of the test's own."""
    import mlflow  # seconds that whoever collects tests need not wait

    TRACKER.of(folder)  # allows stores of files
    client = mlflow.MlflowClient(tracking_uri=folder.resolve().as_uri())
    experiment = client.get_experiment_by_name("seen")
    return client, {run.data.tags["trial_id"]: run for run in client.search_runs([experiment.experiment_id])}


def test_every_trial_is_a_run_with_its_rows_knobs_and_end(results, tmp_path):
    assert tracking.export(results, "seen", [("mlflow", tmp_path)]) == (10, 10)
    client, found = runs(tmp_path)
    trials = Ledger(results).trials().set_index("trial_id")
    assert set(found) == set(trials.index)
    for trial_id, run in found.items():
        rows = Ledger(results).epochs([trial_id])
        history = client.get_metric_history(run.info.run_id, "metric/nmi")
        assert {one.step: one.value for one in history} == dict(zip(rows["epoch"], rows["metric.nmi"], strict=True))
        failed = trials.loc[trial_id, "state"] == "failed"
        assert run.info.status == ("FAILED" if failed else "FINISHED")
        assert float(run.data.params["level"]) == trials.loc[trial_id, "knob.level"]


def test_a_second_export_writes_nothing_and_half_a_run_is_replaced(results, tmp_path):
    tracking.export(results, "seen", [("mlflow", tmp_path)])
    assert tracking.export(results, "seen", [("mlflow", tmp_path)]) == (10, 0)
    client, found = runs(tmp_path)
    run = next(iter(found.values()))
    client.update_run(run.info.run_id, status="RUNNING")  # as a writer that was killed leaves it
    assert tracking.export(results, "seen", [("mlflow", tmp_path)]) == (10, 1)
    assert len(runs(tmp_path)[1]) == 10


def test_without_the_package_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(RequestError, match=r'pip install "deep-clustering-orchestrator\[mlflow\]"'):
        TRACKER.of(tmp_path)
