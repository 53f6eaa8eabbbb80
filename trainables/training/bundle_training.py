"""A bundle under way: epochs, rows, members that fail, rest or are pruned; it knows no method."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from math import isfinite, nan

from orchestrator.machine.process_settings import OwnSettings, imposed_by
from orchestrator.plateau import StopRule
from orchestrator.row_table import RowTable
from orchestrator.trial import (
    BundleTask,
    FailureKind,
    Report,
    Stage,
    TrialOutcome,
    TrialSpec,
    TrialState,
    stages_text,
)
from trainables.data.dataset import Dataset
from trainables.global_streams import untouched
from trainables.method import InTurn, Method, Row
from trainables.precision import computing
from trainables.scoring import measuring
from trainables.training.cost_meter import Costs
from trainables.training.failure_kinds import classified, told
from trainables.training.fates import Fate, at_plateau, complete, diverged, overdue
from trainables.training.kept_files import Seen, content_of, watching
from trainables.training.limits import held_bytes, within_memory, within_seconds
from trainables.training.numerics import configure_numerics, device_of

__all__ = ["BundleTraining"]

_LOG = logging.getLogger(__name__)

PLUGIN = "_plugin_method_"
"""Beginning of the names of modules that hold a user's own methods."""


class BundleTraining:
    """A bundle under way: groups of members still to train, of which the first is being trained."""

    def __init__(self, method: type[Method], task: BundleTask, data: Dataset) -> None:
        self.method, self.task, self.data = method, task, data
        self.device = device_of(task.device)
        self.precision = _precision(task)
        self.numbers = configure_numerics(self.device, self.precision, task.threads)
        self.settings = OwnSettings(imposed_by(method.__module__) or imposed_by(f"{PLUGIN}{self._name}"))
        self.held = held_bytes()
        self.groups = self.not_ended([range(len(task.bundle))])
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
        self.wasted = [0.0] * len(task.bundle)
        """Seconds of each member's cost that went into groups which came to nothing: no limit counts them."""
        self.started_at = _now()
        self.saved_at = time.monotonic()
        self.seen = Seen()
        """What was scored at the latest evaluation, if something is kept."""
        self.superseded = False
        """Whether the bundle was handed out again, so that nobody waits for this training of it."""
        self.saving_seconds = 0.0
        """What the last checkpoint cost."""

    def advance(self) -> Report:
        """Train the first group for one epoch; whatever the method raises becomes rows and outcomes."""
        limits = self.task.limits
        left = None if limits.seconds is None else sum(limits.seconds - self._taken(m) for m in self.groups[0])
        try:
            with self.settings.own(), within_memory(limits.memory_bytes, self.held, self.device), within_seconds(left):
                return self._epoch()
        except Exception as error:  # the seam where a method's exception turns into data
            return self._split(error)

    def _epoch(self) -> Report:
        living = self.groups[0]
        first, last = self.epoch == 0, self.epoch + 1 >= self.spec(living[0]).n_epochs
        alone = self._streams_untouched(at_all=first or last)
        with self.costs.charged(living), computing(self.precision), measuring(self.task.plugins), alone, self._seeing():
            self.built = method = self.built if self.built is not None else self.build(living)
            method.fit_epoch()
            rows, resting = self._evaluated(method, last)
        ends = {place: fate for place in range(len(rows)) if (fate := self._fate(place, rows[place], resting))}
        left = [place for place in range(len(rows)) if place not in ends]
        files = self._kept(method, ends)
        if left and ends:
            method.keep(left)
        self.epoch += 1
        kept = [
            place
            for place in range(len(rows))
            if rows[place] and (place not in ends or ends[place].state is TrialState.COMPLETE)
        ]  # a program need not say something of every epoch
        told = self.table.measured(
            self.task.bundle, [living[place] for place in kept], self.epoch, self.costs.seconds, [rows[p] for p in kept]
        )
        outcomes = {living[place]: self._outcome(living[place], fate) for place, fate in ends.items()}
        return replace(self._ended(outcomes, told), kept=files)

    def _seeing(self) -> AbstractContextManager[object]:
        """Return what watches the partitions that are scored, if something is kept of the members that train."""
        wanted = set(self.task.kept_members) & set(self.groups[0])
        return self._watching() if wanted else nullcontext()

    @contextmanager
    def _watching(self) -> Iterator[None]:
        with watching() as self.seen:
            yield

    def _kept(self, method: Method, ends: Mapping[int, Fate]) -> dict[str, dict[str, bytes]]:
        """Return the files of those that are complete, of what is kept."""
        living, found = self.groups[0], {}
        for place, fate in ends.items():
            if living[place] in self.task.kept_members and fate.state is TrialState.COMPLETE:
                trial_id = self.spec(living[place]).trial_id
                try:
                    found[trial_id] = content_of(method, self.data, place, len(living), self.seen)
                except Exception as error:  # a complete trial is complete, whatever becomes of its files
                    _LOG.warning("trial %s: nothing is kept: %s: %s", trial_id, type(error).__name__, error)
        return found

    def _evaluated(self, method: Method, last: bool) -> tuple[list[Row], set[int]]:
        """Return the rows of the living members, and the places of those whose training ends here."""
        self.seen.forget()
        rows, living = method.evaluate(last), self.groups[0]
        if last:
            return rows, set(range(len(rows)))
        resting = {
            place
            for place, member in enumerate(living)
            if at_plateau(stop := self.spec(member).stop, self._curve(member, stop), rows[place])
        }
        if resting:  # their last evaluation has all metrics; that of the others stays as it is
            self.seen.forget()
            full = method.evaluate(True)
            rows = [full[place] if place in resting else row for place, row in enumerate(rows)]
        return rows, resting

    def _curve(self, member: int, stop: str) -> list[float]:
        """Return what a member's rule for stopping has to see of the epochs before."""
        if not stop:
            return []
        own = self.table.curves(StopRule.read(stop).plateau.metric).get(self.spec(member).trial_id, {})
        return [own.get(epoch, nan) for epoch in range(1, self.epoch + 1)]

    def _fate(self, place: int, row: Row, resting: Collection[int]) -> Fate | None:
        """Return how a living member ends here; None: it goes on."""
        member, epoch, ends = self.groups[0][place], self.epoch + 1, place in resting
        late = overdue(self._taken(member), self.task.limits.seconds, epoch)
        wrong = diverged(row, epoch, self.task.needed, lambda metric: ends or self._was_a_number(member, metric))
        return wrong or (complete if ends else late)

    def _taken(self, member: int) -> float:
        """Return the seconds that a member has taken since its training began for the last time."""
        return self.costs.seconds[member] - self.wasted[member]

    def _was_a_number(self, member: int, metric: str) -> bool:
        return any(map(isfinite, self.table.curves(metric).get(self.spec(member).trial_id, {}).values()))

    def _streams_untouched(self, *, at_all: bool) -> AbstractContextManager[None]:
        """Return what finds draws from global streams, of a method whose members share every call."""
        return untouched(self._name) if at_all and not issubclass(self.method, InTurn) else nullcontext()

    def build(self, members: Sequence[int]) -> Method:
        """Return the method built for some members."""
        specs = [self.spec(member) for member in members]
        configs = [self.method.configured(spec) for spec in specs]
        seeds = [spec.root_seed for spec in specs]
        built = self.method.built_for(configs, seeds, self.data, self.device, self.task)
        self.stages |= {member: tuple(own) for member, own in zip(members, built.stages(), strict=False)}
        return built

    def let_go(self) -> None:
        """Forget the method that was built, if any, and end what it started."""
        built, self.built, self.epoch = self.built, None, 0
        if built is not None:
            built.close()

    def prune(self, asked: Sequence[int]) -> Report:
        """Drop the living members that a pruner named."""
        stop = sorted(set(asked) & set(self.groups[0]))
        survivors = [place for place, member in enumerate(self.groups[0]) if member not in stop]
        try:
            if stop and survivors and self.built is not None:
                self.built.keep(survivors)
        except Exception as error:
            return self._split(error)
        return self._ended({member: self._outcome(member, Fate(TrialState.PRUNED)) for member in stop}, b"")

    def _ended(self, outcomes: Mapping[int, TrialOutcome], rows: bytes) -> Report:
        """Take the outcomes of members that leave the first group, which may end with them."""
        self.outcomes |= outcomes
        self.groups[0] = [member for member in self.groups[0] if member not in outcomes]
        if not self.groups[0]:
            del self.groups[0]
            self.let_go()
            self.width = len(self.groups[0]) if self.groups else self.width
        note = "" if self.groups else self.settings.told(self._name)
        device = self.numbers["device_name"]
        ended = tuple(outcomes.values())
        return Report(rows=rows, outcomes=ended, finished=not self.groups, note=note, device_name=device)

    def _split(self, error: Exception) -> Report:
        """A member alone has failed; several are trained again in smaller groups, from the start."""
        kind, text, log = classified(error), told(error), getattr(error, "log", "")
        traceback.clear_frames(error.__traceback__)  # frames hold the tensors that a smaller group needs room for
        self.let_go()
        living = self.groups[0]
        if len(living) == 1:
            if kind is FailureKind.OUT_OF_MEMORY and self.task.limits.memory_bytes is not None:
                kind = FailureKind.MEMORY_LIMIT
            report = self._ended({living[0]: self._outcome(living[0], Fate(TrialState.FAILED, kind, text))}, b"")
            return replace(report, log=log)
        size = (len(living) + 1) // 2 if kind is FailureKind.OUT_OF_MEMORY else 1
        _LOG.warning(
            "bundle %s: %s; its %d members are trained again, %d at a time",
            self.task.bundle.bundle_id, text.rstrip().splitlines()[-1], len(living), size,
        )  # fmt: skip
        for member in living:
            self.wasted[member] = self.costs.seconds[member]
        self.groups[:1] = [living[place : place + size] for place in range(0, len(living), size)]
        self.width = size
        self.table.forget([self.spec(member).trial_id for member in living])
        out_of_memory = len(living) if kind is FailureKind.OUT_OF_MEMORY else 0
        return replace(self.repeated(), out_of_memory=out_of_memory)

    def repeated(self) -> Report:
        """Return all that stands so far, for a receiver that forgets what it holds of the bundle."""
        rows, outcomes, device = self.table.stream(), tuple(self.outcomes.values()), self.numbers["device_name"]
        return Report(rows=rows, outcomes=outcomes, restarted=True, finished=not self.groups, device_name=device)

    def _outcome(self, member: int, fate: Fate) -> TrialOutcome:
        row = self.table.latest(self.spec(member).trial_id)
        metrics = {name.removeprefix("metric."): row[name] for name in row if name.startswith("metric.")}
        bundle = self.task.bundle
        return TrialOutcome(
            spec=self.spec(member),
            attempt=bundle.attempt(member),
            state=fate.state,
            failure_kind=fate.kind,
            error=fate.error,
            collapsed=metrics.get("collapsed", 0.0) > 0,
            metrics=metrics,
            cost=self._cost(member),
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

    def _cost(self, member: int) -> Mapping[str, float]:
        elsewhere = None if self.built is None else self.built.peak_memory_bytes()
        own = self.costs.of(member)
        return own if elsewhere is None else {**own, "peak_memory_bytes": float(elsewhere)}

    @property
    def _name(self) -> str:
        return self.task.bundle.specs[0].method if len(self.task.bundle) else ""

    def spec(self, member: int) -> TrialSpec:
        """Return the spec of a member."""
        return self.task.bundle.specs[member]

    def not_ended(self, groups: Sequence[Sequence[int]]) -> list[list[int]]:
        """Return groups without the members whose end the ledger has."""
        kept = [[member for member in group if member not in self.task.ended_members] for group in groups]
        return [group for group in kept if group]


def _precision(task: BundleTask) -> str:
    return task.bundle.specs[0].precision if len(task.bundle) else "float32"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
