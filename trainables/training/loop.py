"""The training loop of a bundle: epochs, rows, failed and pruned members, checkpoints; it knows no method."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from orchestrator.errors import DataError
from orchestrator.knobs import configured
from orchestrator.row_table import RowTable
from orchestrator.trial import (
    BundleTask,
    FailureKind,
    Report,
    Stage,
    TrialOutcome,
    TrialSpec,
    TrialState,
    ids,
    stages_text,
)
from trainables.data.dataset import Dataset
from trainables.method import Method, Row
from trainables.precision import computing
from trainables.scoring import measuring
from trainables.training import checkpoints
from trainables.training.cost_meter import Costs
from trainables.training.failure_kinds import as_json, classified, from_json
from trainables.training.numerics import configure_numerics, device_of

__all__ = ["train"]

SAVING_SHARE = 0.015
"""Part of the wall time that may go into checkpoints: after a slow one the next waits longer than the task says."""

_LOG = logging.getLogger(__name__)


def train(
    method: type[Method],
    task: BundleTask,
    data: Dataset,
    decide: Callable[[], Sequence[int]] | None = None,
    stopping: Callable[[], bool] | None = None,
) -> Iterator[Report]:
    """Train a bundle, yielding a report after each evaluation; the last has `finished`.

    A member whose metrics are no longer finite has failed (`diverged`) and leaves; so does one that `decide` names
    (`pruned`). When the method raises, nobody knows whose fault it was: the living members are trained again one by
    one (in halves when memory ran out), and the report that says so has `restarted` and repeats what stays valid,
    rows and outcomes. Chunking changes no bit, so their rows are those of an undisturbed run. Settled members of the
    task are not trained; what a checkpoint has of them is repeated.

    Args:
        method: class of the bundle's method.
        task: the bundle, and where and how it is trained.
        data: the bundle's dataset, under its protocol.
        decide: member indices that shall stop now; asked after each evaluation, but the last, of a prunable bundle.
        stopping: whether to end after this evaluation: a checkpoint is left, and no report has `finished`.
    """
    run, resumed, note = _started(method, task, data)
    try:
        if note:
            yield Report(note=note)
        if resumed or not run.groups:
            yield run.repeated()
        while run.groups:
            yield run.advance()
            if run.epoch and decide is not None and task.bundle.prunable:
                report = run.prune(decide())
                if report.outcomes or report.restarted:
                    yield report
            if run.groups and stopping is not None and stopping():
                run.save()
                return
            if run.groups and run.save_is_due():
                run.save()
            if run.superseded:
                return
    finally:
        if not run.groups:  # also when the receiver drops the generator at the last report
            run.remove_checkpoint()


class _Run:
    """A bundle under way: groups of members still to train, of which the first is being trained."""

    def __init__(self, method: type[Method], task: BundleTask, data: Dataset) -> None:
        self.method, self.task, self.data = method, task, data
        self.device = device_of(task.device)
        self.precision = _precision(task)
        self.numbers = configure_numerics(self.device, self.precision, task.threads)
        self.groups = self._not_ended([range(len(task.bundle))])
        self.built: Method | None = None
        self.width = len(self.groups[0]) if self.groups else len(task.bundle)
        """Members that the first group began with."""
        self.epoch = 0
        """Epochs that the first group has behind it; 0 also between groups."""
        self.table = RowTable()
        self.outcomes: dict[int, TrialOutcome] = {}
        self.stages: dict[int, tuple[Stage, ...]] = {}
        """What each member builds on beside the dataset's."""
        self.costs = Costs(len(task.bundle), self.device)
        self.started_at = _now()
        self.saved_at = time.monotonic()
        self.superseded = False
        """Whether the bundle was handed out again, so that nobody waits for this training of it."""
        self.saving_seconds = 0.0
        """What the last checkpoint cost."""

    def advance(self) -> Report:
        """Train the first group for one epoch; whatever the method raises becomes rows and outcomes."""
        try:
            return self._epoch()
        except Exception as error:  # the seam where a method's exception turns into data
            return self._split(error)

    def _epoch(self) -> Report:
        living = self.groups[0]
        with self.costs.charged(living), computing(self.precision), measuring(self.task.plugins):
            method = self.built if self.built is not None else self._build(living)
            method.fit_epoch()
            last = self.epoch + 1 >= self._spec(living[0]).n_epochs
            rows = method.evaluate(last)
        finite = [_is_finite(row) for row in rows]
        survivors = [place for place, fine in enumerate(finite) if fine]
        if len(survivors) < len(living) and survivors and not last:
            method.keep(survivors)
        self.built, self.epoch = method, self.epoch + 1
        told = self.table.measured(
            self.task.bundle,
            [living[place] for place in survivors],
            self.epoch,
            self.costs.seconds,
            [rows[place] for place in survivors],
        )
        outcomes = {
            living[place]: self._diverged(living[place], rows[place]) for place in range(len(rows)) if not finite[place]
        }
        if last:
            outcomes |= {living[place]: self._outcome(living[place], TrialState.COMPLETE) for place in survivors}
        return self._ended(outcomes, told)

    def _build(self, members: Sequence[int]) -> Method:
        specs = [self._spec(member) for member in members]
        configs = [configured(self.method.Config, spec.config, spec.n_epochs, spec.method) for spec in specs]
        built = self.method(configs, [spec.root_seed for spec in specs], self.data, self.device)
        self.stages |= {member: tuple(own) for member, own in zip(members, built.stages(), strict=False)}
        return built

    def prune(self, asked: Sequence[int]) -> Report:
        """Drop the living members that a pruner named."""
        stop = sorted(set(asked) & set(self.groups[0]))
        survivors = [place for place, member in enumerate(self.groups[0]) if member not in stop]
        try:
            if stop and survivors and self.built is not None:
                self.built.keep(survivors)
        except Exception as error:
            return self._split(error)
        return self._ended({member: self._outcome(member, TrialState.PRUNED) for member in stop}, b"")

    def _ended(self, outcomes: Mapping[int, TrialOutcome], rows: bytes) -> Report:
        """Take the outcomes of members that leave the first group, which may end with them."""
        self.outcomes |= outcomes
        self.groups[0] = [member for member in self.groups[0] if member not in outcomes]
        if not self.groups[0]:
            del self.groups[0]
            self.built, self.epoch = None, 0
            self.width = len(self.groups[0]) if self.groups else self.width
        return Report(rows=rows, outcomes=tuple(outcomes.values()), finished=not self.groups)

    def _split(self, error: Exception) -> Report:
        """A member alone has failed; several are trained again in smaller groups, from the start."""
        kind, text = classified(error), "".join(traceback.format_exception(error))
        traceback.clear_frames(error.__traceback__)  # frames hold the tensors that a smaller group needs room for
        self.built, self.epoch = None, 0
        living = self.groups[0]
        if len(living) == 1:
            return self._ended({living[0]: self._outcome(living[0], TrialState.FAILED, kind, text)}, b"")
        size = (len(living) + 1) // 2 if kind is FailureKind.OUT_OF_MEMORY else 1
        _LOG.warning(
            "bundle %s: %s; its %d members are trained again, %d at a time",
            self.task.bundle.bundle_id, text.rstrip().splitlines()[-1], len(living), size,
        )  # fmt: skip
        self.groups[:1] = [living[place : place + size] for place in range(0, len(living), size)]
        self.width = size
        self.table.forget([self._spec(member).trial_id for member in living])
        out_of_memory = len(living) if kind is FailureKind.OUT_OF_MEMORY else 0
        return replace(self.repeated(), out_of_memory=out_of_memory)

    def repeated(self) -> Report:
        """Return all that stands so far, for a receiver that forgets what it holds of the bundle."""
        outcomes = tuple(self.outcomes.values())
        return Report(rows=self.table.stream(), outcomes=outcomes, restarted=True, finished=not self.groups)

    def _diverged(self, member: int, row: Row) -> TrialOutcome:
        name = next(name for name, value in row.items() if not _fine(name, value))
        text = f"{name} is {row[name]} after epoch {self.epoch}"
        return self._outcome(member, TrialState.FAILED, FailureKind.DIVERGED, text)

    def _outcome(
        self, member: int, state: TrialState, kind: FailureKind | None = None, error: str = ""
    ) -> TrialOutcome:
        row = self.table.latest(self._spec(member).trial_id)
        metrics = {name.removeprefix("metric."): row[name] for name in row if name.startswith("metric.")}
        bundle = self.task.bundle
        return TrialOutcome(
            spec=self._spec(member),
            attempt=bundle.attempt(member),
            state=state,
            failure_kind=kind,
            error=error,
            collapsed=metrics.get("collapsed", 0.0) > 0,
            metrics=metrics,
            cost=self.costs.of(member),
            facts={
                "bundle_id": bundle.bundle_id,
                "bundle_size": self.width,
                "device": str(self.device),
                **self.numbers,
                "stages": stages_text((*self.data.stages, *self.stages.get(member, ()))),
                "threads": self.task.threads,
                "started_at": self.started_at,
                "finished_at": _now(),
                "code_digest": self.task.code_digest,
            },
        )

    def _spec(self, member: int) -> TrialSpec:
        return self.task.bundle.specs[member]

    def save_is_due(self) -> bool:
        """Whether the last checkpoint is older than the task says, and old enough to have been worth its cost."""
        wait = self.task.checkpoint_seconds
        if wait >= 1.0:  # who asks for several a second wants them at any cost
            wait = max(wait, self.saving_seconds / SAVING_SHARE)
        return time.monotonic() - self.saved_at >= wait

    def save(self) -> None:
        """Write a checkpoint, if the task has a folder; what goes wrong costs the checkpoint, not the training."""
        began = self.saved_at = time.monotonic()
        if not self.task.checkpoint_folder:
            return
        rows, progress = self.table.stream(), self._progress()
        try:
            state = {} if self.built is None else self.built.state_dict()
            content = checkpoints.Checkpoint(state=state, rows=rows, progress=progress)
            checkpoints.name_members(Path(self.task.checkpoint_folder), ids(self.task.bundle.specs))
            checkpoints.write(Path(self.task.checkpoint_folder), content, self.task.fence)
        except checkpoints.SupersededError as error:
            _LOG.warning("bundle %s is left: %s", self.task.bundle.bundle_id, error)
            self.superseded = True
        except Exception as error:  # a full disk, or a method whose state is wrong
            _LOG.warning("no checkpoint in %r: %s: %s", self.task.checkpoint_folder, type(error).__name__, error)
        self.saved_at = time.monotonic()
        self.saving_seconds = self.saved_at - began

    def remove_checkpoint(self) -> None:
        """Delete the checkpoint of a bundle that is done."""
        if self.task.checkpoint_folder:
            checkpoints.remove(Path(self.task.checkpoint_folder), self.task.fence)

    def _progress(self) -> Mapping[str, Any]:
        return {
            "bundle_id": self.task.bundle.bundle_id,
            "code_digest": self.task.code_digest,
            "attempts": [self.task.bundle.attempt(member) for member in range(len(self.task.bundle))],
            "groups": self.groups,
            "epoch": self.epoch,
            "width": self.width,
            "seconds": self.costs.seconds,
            "peak_memory_bytes": self.costs.peak_memory_bytes(),
            "started_at": self.started_at,
            "outcomes": {str(member): as_json(outcome) for member, outcome in self.outcomes.items()},
        }

    def take_up(self, found: checkpoints.Checkpoint) -> None:
        """Go on from a checkpoint of the same bundle, written by the same code."""
        progress = found.progress
        for name, mine in (("bundle_id", self.task.bundle.bundle_id), ("code_digest", self.task.code_digest)):
            if progress[name] != mine:
                raise DataError(f"its checkpoint has {name} {progress[name]!r}, not {mine!r}")
        self.groups = [list(group) for group in progress["groups"]]
        self.epoch, self.width = int(progress["epoch"]), int(progress["width"])
        if self.epoch:
            self.built = self._build(self.groups[0])
            self.built.load_state_dict(found.state)
            self._drop_ended()
        self.groups = self._not_ended(self.groups)
        self.table.take_up(found.rows, self.task.bundle)
        self.costs.seconds = list(progress["seconds"])
        self.costs.earlier_peak = int(progress["peak_memory_bytes"])
        self.started_at = str(progress["started_at"])
        self.outcomes = {
            int(member): from_json(content, self.task.bundle, int(member))
            for member, content in progress["outcomes"].items()
        }
        self._try_again(progress["attempts"])

    def _drop_ended(self) -> None:
        """Take members out of the group under way that ended after the checkpoint was written."""
        assert self.built is not None
        survivors = [place for place, member in enumerate(self.groups[0]) if member not in self.task.ended_members]
        if not survivors:
            self.built, self.epoch = None, 0
        elif len(survivors) < len(self.groups[0]):
            self.built.keep(survivors)

    def _try_again(self, earlier: Sequence[int]) -> None:
        """Begin anew with members that had failed and are to be tried again, with a higher attempt number."""
        again = [
            member
            for member, outcome in self.outcomes.items()
            if outcome.state is TrialState.FAILED
            and self.task.bundle.attempt(member) > earlier[member]
            and member not in self.task.ended_members
        ]
        if again:
            self.outcomes = {member: outcome for member, outcome in self.outcomes.items() if member not in again}
            self.table.forget([self._spec(member).trial_id for member in again])
            self.groups.append(again)

    def _not_ended(self, groups: Sequence[Sequence[int]]) -> list[list[int]]:
        kept = [[member for member in group if member not in self.task.ended_members] for group in groups]
        return [group for group in kept if group]


def _started(method: type[Method], task: BundleTask, data: Dataset) -> tuple[_Run, bool, str]:
    """Return a run, whether it goes on from a checkpoint, and what to say of one that is unusable and left behind."""
    run = _Run(method, task, data)
    if task.checkpoint_folder:
        try:
            found = checkpoints.read(Path(task.checkpoint_folder))
            if found is not None:
                run.take_up(found)
                return run, True, ""
        except Exception as error:  # whatever is wrong with it, training from the start is right
            text = " ".join(str(error).split())
            return _Run(method, task, data), False, f"bundle {task.bundle.bundle_id} starts afresh: {text}"
    return run, False, ""


def _precision(task: BundleTask) -> str:
    return task.bundle.specs[0].precision if len(task.bundle) else "float32"


def _fine(name: str, value: float) -> bool:
    return isfinite(value) or not (name.startswith("metric.") or name == "diagnostic.loss")  # others may be undefined


def _is_finite(row: Row) -> bool:
    return all(_fine(name, value) for name, value in row.items())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
