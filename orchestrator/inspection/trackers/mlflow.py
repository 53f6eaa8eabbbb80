"""MLflow: a run a trial, in a local store of files; the study is the experiment.

    mlflow ui --backend-store-uri DIR

Evaluations are steps of the run's metrics, knobs its parameters; arm, trial_id, attempt and state are tags.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from orchestrator.inspection.tracking import TrackedTrial, install

__all__ = ["TRACKER", "MLflow"]

ENDS = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
"""How a trial ended -> the status of its run."""

LONGEST = 6_000
"""Characters of a parameter's value."""

AT_A_TIME = 1_000
"""Metrics of one call, as MLflow allows."""

MILLISECONDS = 1_000


class MLflow:
    """Writes runs into a store of files.

    Args:
        target: the store's folder.
        client: of that store.
    """

    def __init__(self, target: Path, client: Any) -> None:
        self._target, self._client = target, client
        self._experiments: dict[str, str] = {}
        self._known: dict[str, set[str]] = {}
        """Study -> keys of the attempts that are there in full."""

    @classmethod
    def of(cls, target: Path) -> MLflow:
        """Return the tracker of a folder.

        Raises:
            RequestError: MLflow is not installed.
        """
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # newer ones want a database, which needs more
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                from mlflow import MlflowClient
        except ImportError:
            raise install("mlflow", "mlflow-skinny") from None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a database is better
            return cls(target, MlflowClient(tracking_uri=target.resolve().as_uri()))

    def has(self, trial: TrackedTrial) -> bool:
        """Return whether the run of this attempt has ended."""
        if not self._target.is_dir():
            return False
        return trial.key in self._attempts(trial.study)

    def write(self, trial: TrackedTrial) -> None:
        """Write the run of an attempt; one that was not ended is deleted."""
        from mlflow.entities import Metric, Param, RunTag

        experiment = self._experiment(trial.study)
        began = int(trial.started * MILLISECONDS)
        about = {"trial_id": trial.trial_id, "attempt": trial.attempt, "arm": trial.group, "state": trial.state}
        tags = {**{name: str(value) for name, value in about.items()}, "key": trial.key}
        for left in self._runs(trial.study, f"tags.key = '{trial.key}'"):
            self._client.delete_run(left.info.run_id)
        run = self._client.create_run(
            experiment, start_time=began, tags=tags, run_name=f"{trial.group} {trial.name}"
        ).info.run_id
        params = [Param(name, str(value)[:LONGEST]) for name, value in trial.config.items()]
        metrics, ended = [], began
        for one in trial.evaluations:
            ended = began + int(one.seconds * MILLISECONDS)
            metrics += [Metric(tag, value, ended, one.epoch) for tag, value in one.values.items()]
        self._client.log_batch(run, params=params, tags=[RunTag("study", trial.study)])
        for start in range(0, len(metrics), AT_A_TIME):
            self._client.log_batch(run, metrics=metrics[start : start + AT_A_TIME])
        self._client.set_terminated(run, ENDS.get(trial.state, "FAILED"), ended)
        self._attempts(trial.study).add(trial.key)

    def look(self) -> str:
        """Return the command that shows the store."""
        return f"mlflow ui --backend-store-uri {self._target}"

    def close(self) -> None:
        """Nothing to end."""

    def _experiment(self, study: str) -> str:
        if study not in self._experiments:
            self._target.mkdir(parents=True, exist_ok=True)
            found = self._client.get_experiment_by_name(study)
            known = found.experiment_id if found is not None else self._client.create_experiment(study)
            self._experiments[study] = known
        return self._experiments[study]

    def _attempts(self, study: str) -> set[str]:
        if study not in self._known:
            self._known[study] = set()
            for run in self._runs(study):
                if run.info.status != "RUNNING":
                    self._known[study].add(run.data.tags.get("key", ""))
        return self._known[study]

    def _runs(self, study: str, which: str = "") -> list[Any]:
        """Return the runs of a study that are not deleted."""
        found, token = [], None
        while True:
            page = self._client.search_runs([self._experiment(study)], which, page_token=token)
            found += list(page)
            token = page.token
            if not token:
                return found


TRACKER = MLflow
