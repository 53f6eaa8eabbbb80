"""Searches as an Optuna journal, for optuna-dashboard and whatever else reads one; a copy, never read back."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

import optuna
from optuna.storages.journal import JournalFileBackend

from orchestrator.search.rounds import SearchRounds

__all__ = ["journal_of"]


def journal_of(searches: Mapping[str, SearchRounds]) -> bytes:
    """Return the content of a JournalStorage file that holds each search as an Optuna study of the given name."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        path = Path(folder, "journal")
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
        for name, rounds in searches.items():
            copy = optuna.create_study(
                storage=storage, study_name=name, directions=rounds.study.directions, pruner=optuna.pruners.NopPruner()
            )
            copy.set_metric_names(list(rounds.search.rules))
            copy.add_trials([trial for trial in rounds.study.get_trials(deepcopy=False) if trial.state.is_finished()])
        return path.read_bytes()
