"""One trial of a results folder: its config, attempts, evaluations, logs, and the command that trains it again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.errors import RequestError
from orchestrator.ledger import Ledger
from orchestrator.trial import stages_of

__all__ = ["commands_again", "trial_view"]


def trial_view(results: Path, trial_id: str) -> dict[str, Any]:
    """Return all that the results folder holds of one trial (an unambiguous beginning of its id is enough).

    One that is planned and has no attempt yet has its logs: it may be under way, and its process have died before.

    Raises:
        RequestError: no such trial, or several that begin so.
    """
    with Ledger(results) as ledger:
        planned = {name: ledger.studies.trial_ids(name) for name in ledger.studies.names()}
        attempted = ledger.table(columns=["trial_id"])["trial_id"]
        whole = _only(trial_id, [attempted, *planned.values()], results)
        attempts = _plain(ledger.table(view=False, only=[whole]))
        epochs = _plain(ledger.epoch_table([whole]))
        logs = [dataclasses.asdict(entry) for entry in ledger.logs.of(whole)]
        studies = [name for name, ids in planned.items() if pc.any(pc.equal(ids, whole)).as_py()]
        kept = {what: str(path) for what, path in ledger.kept.of(whole).items()}
        again = _again(whole, ledger, studies[0], attempts) if studies else ""
    last = attempts[-1] if attempts else {}
    return {
        "trial_id": whole,
        "config": json.loads(str(last["config"])) if last else {},
        "stages": [dataclasses.asdict(stage) for stage in stages_of(last.get("stages"))],
        "attempts": attempts,
        "epochs": epochs,
        "logs": logs,
        "kept": kept,
        "studies": studies,
        "train_again": again,
    }


def commands_again(study: str, command: str) -> dict[str, str]:
    """Return the commands that train a trial of a study again, by what became of it.

    Args:
        study: its name.
        command: that of the record.

    Returns:
        `complete`: it is trained to be compared; `failed`: it is tried again; `other`: the study goes on. What stands
        in braces is the trial's own: `{trial}` its id, `{kind}` why it failed.
    """
    return {
        "complete": f"orchestrate verify {study} --trial {{trial}}",
        "failed": f"{command} --retry-failed {{kind}}",
        "other": command,
    }


def _again(trial_id: str, ledger: Ledger, study: str, attempts: Sequence[Mapping[str, Any]]) -> str:
    """Return the command that trains a trial again: to compare it if it is complete, else for the study's sake."""
    commands = commands_again(study, ledger.studies.brief(study).command)
    for attempt in attempts:
        if attempt["state"] == "complete":
            return commands["complete"].replace("{trial}", trial_id)
    for attempt in reversed(attempts):
        if attempt["state"] == "failed":
            return commands["failed"].replace("{kind}", attempt["failure_kind"])
    return commands["other"]


def _only(beginning: str, columns: Sequence[pa.ChunkedArray], results: Path) -> str:
    """Return the trial of several columns of ids whose id begins so."""
    found: set[str] = set()
    for ids in columns:
        found.update(ids.filter(pc.starts_with(ids, beginning)).to_pylist())
    if len(found) != 1:
        known: set[str] = set()
        for ids in columns:
            known.update(ids.to_pylist())
        raise RequestError(
            f"trial id {beginning!r} fits {len(found)} of the {len(known)} trials in {str(results)!r}; give one "
            "trial's id, or enough of its beginning"
        )
    return found.pop()


def _plain(rows: pa.Table) -> list[dict[str, Any]]:
    """Return the rows as mappings without absent values."""
    return [{name: value for name, value in row.items() if not _absent(value)} for row in rows.to_pylist()]


def _absent(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)  # noqa: PLR0124  NaN
