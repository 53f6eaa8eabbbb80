"""A bundle under way, written to its checkpoint and taken up again."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.errors import DataError
from orchestrator.trial import TrialState, ids
from trainables.members_file import name_members
from trainables.training import checkpoints
from trainables.training.bundle_training import BundleTraining
from trainables.training.failure_kinds import as_json, from_json

__all__ = ["remove", "save", "save_is_due", "take_up"]

SAVING_SHARE = 0.015
"""Part of the wall time that may go into checkpoints: after a slow one the next waits longer than the task says."""

_LOG = logging.getLogger(__name__)


def save_is_due(run: BundleTraining) -> bool:
    """Whether the last checkpoint is older than the task says, and old enough to have been worth its cost."""
    wait = run.task.checkpoint_seconds
    if wait >= 1.0:  # who asks for several a second wants them at any cost
        wait = max(wait, run.saving_seconds / SAVING_SHARE)
    return time.monotonic() - run.saved_at >= wait


def save(run: BundleTraining) -> None:
    """Write a checkpoint, if the task has a folder; what goes wrong costs the checkpoint, not the training."""
    began = run.saved_at = time.monotonic()
    if not run.task.checkpoint_folder:
        return
    rows, progress = run.table.stream(), _progress(run)
    try:
        state = {} if run.built is None else run.built.state_dict()
        content = checkpoints.Checkpoint(state=state, rows=rows, progress=progress)
        name_members(Path(run.task.checkpoint_folder), ids(run.task.bundle.specs))
        checkpoints.write(Path(run.task.checkpoint_folder), content, run.task.fence)
    except checkpoints.SupersededError as error:
        _LOG.warning("bundle %s is left: %s", run.task.bundle.bundle_id, error)
        run.superseded = True
    except Exception as error:  # a full disk, or a method whose state is wrong
        _LOG.warning("no checkpoint in %r: %s: %s", run.task.checkpoint_folder, type(error).__name__, error)
    run.saved_at = time.monotonic()
    run.saving_seconds = run.saved_at - began


def remove(run: BundleTraining) -> None:
    """Delete the checkpoint of a bundle that is done."""
    if run.task.checkpoint_folder:
        checkpoints.remove(Path(run.task.checkpoint_folder), run.task.fence)


def _progress(run: BundleTraining) -> Mapping[str, Any]:
    return {
        "bundle_id": run.task.bundle.bundle_id,
        "code_digest": run.task.code_digest,
        "attempts": [run.task.bundle.attempt(member) for member in range(len(run.task.bundle))],
        "groups": run.groups,
        "epoch": run.epoch,
        "width": run.width,
        "seconds": run.costs.seconds,
        "peak_memory_bytes": run.costs.peak_memory_bytes(),
        "started_at": run.started_at,
        "outcomes": {str(member): as_json(outcome) for member, outcome in run.outcomes.items()},
    }


def take_up(run: BundleTraining, found: checkpoints.Checkpoint) -> None:
    """Go on from a checkpoint of the same bundle, written by the same code."""
    progress = found.progress
    for name, mine in (("bundle_id", run.task.bundle.bundle_id), ("code_digest", run.task.code_digest)):
        if progress[name] != mine:
            raise DataError(f"its checkpoint has {name} {progress[name]!r}, not {mine!r}")
    run.groups = [list(group) for group in progress["groups"]]
    run.epoch, run.width = int(progress["epoch"]), int(progress["width"])
    if run.epoch:
        run.built = run.build(run.groups[0])
        run.built.load_state_dict(found.state)
        _drop_ended(run)
    run.groups = run.not_ended(run.groups)
    run.table.take_up(found.rows, run.task.bundle)
    run.costs.seconds = list(progress["seconds"])
    run.costs.earlier_peak = int(progress["peak_memory_bytes"])
    run.started_at = str(progress["started_at"])
    run.outcomes = {
        int(member): from_json(content, run.task.bundle, int(member))
        for member, content in progress["outcomes"].items()
    }
    _require_files(run)
    _try_again(run, progress["attempts"])


def _require_files(run: BundleTraining) -> None:
    """Refuse a checkpoint with a complete member whose files are wanted and went down with the process."""
    for member, outcome in run.outcomes.items():
        wanted = member in run.task.kept_members and member not in run.task.ended_members
        if wanted and outcome.state is TrialState.COMPLETE:
            raise DataError(f"its checkpoint has no files of trial {outcome.spec.trial_id}, which are to be kept")


def _drop_ended(run: BundleTraining) -> None:
    """Take members out of the group under way that ended after the checkpoint was written."""
    assert run.built is not None
    survivors = [place for place, member in enumerate(run.groups[0]) if member not in run.task.ended_members]
    if not survivors:
        run.let_go()
    elif len(survivors) < len(run.groups[0]):
        run.built.keep(survivors)


def _try_again(run: BundleTraining, earlier: Sequence[int]) -> None:
    """Begin anew with members that had failed and are to be tried again, with a higher attempt number."""
    again = [
        member
        for member, outcome in run.outcomes.items()
        if outcome.state is TrialState.FAILED
        and run.task.bundle.attempt(member) > earlier[member]
        and member not in run.task.ended_members
    ]
    if again:
        run.outcomes = {member: outcome for member, outcome in run.outcomes.items() if member not in again}
        run.table.forget([run.spec(member).trial_id for member in again])
        run.groups.append(again)
