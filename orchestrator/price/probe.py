"""Short trainings of programs that nobody has measured yet: their profiles give bundle sizes and prices.

A probe is a bundle like any other, trained by the same executor on the same workers, for one epoch and, where that is
short, for a few more; its rows reach no ledger. It runs once a program and kind of device, before bundles are cut.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from orchestrator.bundles.profile import MEMBERS_ON_GPU, Profile
from orchestrator.bundles.program import program_key
from orchestrator.knobs import Knob
from orchestrator.ledger import Ledger, profiles
from orchestrator.plan.catalogue import Catalogue
from orchestrator.provenance import versions
from orchestrator.row_table import RowTable
from orchestrator.trial import (
    Bundle,
    BundleTask,
    FailureKind,
    Report,
    SeedBlock,
    TrialOutcome,
    TrialSpec,
    TrialState,
    canonical_json,
)

__all__ = ["PROBED_MEMBERS", "ProbeSource", "Program", "keep_profiles", "programs_of"]

PROBED_MEMBERS = 8
"""The second size: enough members to see both the gain of fusing and the memory of one."""

EPOCHS, MOST_EPOCHS = 4, 16
"""Epochs of a probe where one is short: the first builds, the last has the dear metrics, those between tell; more where
they are very short, since what lasts milliseconds is noise."""

ENOUGH_SECONDS = 0.2
"""So long a member alone is measured, within those epochs."""

SHORT_SECONDS = 0.5
"""An epoch of one member up to here is probed `EPOCHS` times, a longer one once."""

LIGHT_MEMBERS, LIGHT_EPOCHS = 4, 3
"""Second size and epochs of the light probe of what is asked for little: its first runs had been priced by guesses."""

WORTH, WORTH_LIGHT = 30, 12
"""A program is probed, or lightly so, if it is asked for that many times the probe's own member-epochs."""

SEEDS = 1_000_000
"""Seeds of probes count from here, so that none is a trial of a study."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program to probe."""

    key: str
    specs: tuple[TrialSpec, ...]
    """Of different configurations, if there are: knobs that fuse may cost, so that one would not speak for all."""
    members: int
    """The second size; 1: what cannot share a bundle."""
    member_epochs: int
    """How much of it a study asks for."""
    code_digest: str
    """Of the method."""

    @property
    def worth_probing(self) -> bool:
        """Whether a light probe at least is small beside the work."""
        return self.member_epochs >= WORTH_LIGHT * _member_epochs(min(self.members, LIGHT_MEMBERS), LIGHT_EPOCHS)

    @property
    def light(self) -> bool:
        """Whether only a light one is."""
        return self.worth_probing and self.member_epochs < WORTH * _member_epochs(self.members, EPOCHS)


def _member_epochs(members: int, epochs: int) -> int:
    """Return what a probe trains: an epoch alone, some epochs alone, and as many together."""
    return 1 + epochs + epochs * members * (members > 1)


def programs_of(specs: Iterable[TrialSpec], catalogue: Catalogue, device: str) -> list[Program]:
    """Return the programs of some trials."""
    found: dict[str, Program] = {}
    configurations: dict[str, dict[str, TrialSpec]] = {}
    for spec in specs:
        key = program_key(spec, catalogue.space(spec.method), device)
        if key not in found:
            allowed = catalogue.member_limit(spec) if device == "cpu" else _on_gpu(catalogue.space(spec.method))
            members = min(allowed, PROBED_MEMBERS)
            digest = catalogue.method(spec.method).code_digest
            found[key] = Program(key=key, specs=(), members=members, member_epochs=0, code_digest=digest)
            configurations[key] = {}
        configurations[key].setdefault(canonical_json(spec.config), spec)
        found[key] = replace(found[key], member_epochs=found[key].member_epochs + spec.n_epochs)
    return [replace(program, specs=_spread(list(configurations[key].values()))) for key, program in found.items()]


def _spread(specs: Sequence[TrialSpec]) -> tuple[TrialSpec, ...]:
    """Return at most `PROBED_MEMBERS` of them, from all over: the first of them first."""
    step = max(1.0, len(specs) / PROBED_MEMBERS)
    return tuple(specs[int(place * step)] for place in range(min(len(specs), PROBED_MEMBERS)))


def _on_gpu(space: Mapping[str, Knob]) -> int:
    """Return the largest bundle on a GPU but for memory; what fusing gains on a CPU says nothing of one."""
    return MEMBERS_ON_GPU if any(knob.fuses for knob in space.values()) else 1


@dataclass
class _Measured:
    """What has been heard of one program."""

    program: Program
    steps: list[tuple[int, int]]
    """(members, epochs) still to train."""
    costs: dict[int, tuple[float, float]] = field(default_factory=dict)
    """members -> (seconds an epoch, fixed seconds), a member."""
    peaks: dict[int, float] = field(default_factory=dict)
    capacity: float = 0.0
    out_of_memory: int = 0

    def seconds_left(self) -> float:
        """Return about how long its steps take, as long as one worker does them; not known: longer than all."""
        if not self.costs:
            return math.inf
        return self.costs[1][0] * sum(members * epochs for members, epochs in self.steps)


class ProbeSource:
    """Hands out probes to an executor and gathers what they cost; see `executors.base.Source`.

    Args:
        programs: what to probe.
        device: of the tasks.
        plugins: folders with a user's own methods and datasets.
        stopping: whether the run that this belongs to ends.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        device: str = "cpu",
        plugins: tuple[str, ...] = (),
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.device, self.plugins, self._stopping = device, plugins, stopping
        self._waiting = [_Measured(program, [(1, 1)]) for program in programs]
        self._open: dict[str, tuple[_Measured, RowTable]] = {}
        self.done: list[_Measured] = []
        self._digests = {program.specs[0].method: program.code_digest for program in programs}

    def next_task(self) -> BundleTask | None:
        """Hand out the next probe: of a program that none is known of, else that with the most left to do."""
        if not self._waiting or self.stopping:
            return None
        measured = max(self._waiting, key=_Measured.seconds_left)
        self._waiting.remove(measured)
        members, epochs = measured.steps.pop(0)
        specs = measured.program.specs
        probes = []
        for place in range(members):  # as in a study, configurations share a seed: some methods share its batches
            again, which = divmod(place, len(specs))
            probe = replace(specs[which], n_epochs=epochs, seed=SEEDS + again, seed_block=SeedBlock.SEARCH)
            probes.append(probe)
        bundle = Bundle(tuple(probes))
        self._open[bundle.bundle_id] = (measured, RowTable())
        digest = self._digests[bundle.specs[0].method]
        return BundleTask(bundle=bundle, device=self.device, code_digest=digest, plugins=self.plugins)

    @property
    def finished(self) -> bool:
        """Whether every program has been measured, or given up."""
        return self.stopping or not (self._waiting or self._open)

    @property
    def stopping(self) -> bool:
        """Whether the run ends."""
        return self._stopping()

    def report(self, bundle: Bundle, report: Report) -> None:
        """Gather rows; at the end of a probe, take its cost."""
        measured, rows = self._open[bundle.bundle_id]
        if report.restarted:
            rows.clear()
        rows.add(report.rows)
        if report.out_of_memory:
            measured.out_of_memory = min(report.out_of_memory, measured.out_of_memory or report.out_of_memory)
        if report.finished:
            del self._open[bundle.bundle_id]
            done = [outcome for outcome in report.outcomes if outcome.state is TrialState.COMPLETE]
            if len(done) == len(bundle) and not measured.out_of_memory:
                self._take(measured, bundle, done, rows)
            self._go_on(measured, bundle)

    def prepare(self) -> None:
        """Nothing: the next probe follows from what the last one measured."""

    def decide(self, bundle: Bundle) -> Sequence[int]:
        """Nothing is pruned."""
        return ()

    def lost(self, bundle: Bundle, kind: FailureKind, error: str, log: str = "") -> None:
        """Give a program up whose worker died; it is trained as if it had never been probed."""
        measured, _ = self._open.pop(bundle.bundle_id)
        if kind is FailureKind.OUT_OF_MEMORY:
            measured.out_of_memory = len(bundle)
        self.done.append(measured)

    def interrupted(self, bundle: Bundle) -> None:
        """Forget a probe that ended early."""
        self._open.pop(bundle.bundle_id, None)

    def _take(self, measured: _Measured, bundle: Bundle, done: Sequence[TrialOutcome], rows: RowTable) -> None:
        total = statistics.mean(outcome.cost["seconds"] for outcome in done)
        epochs = bundle.specs[0].n_epochs
        between = [b - a for a, b in itertools.pairwise(rows.seconds(bundle.specs[0].trial_id))]
        epoch = statistics.median(between[:-1]) if len(between) > 1 else total / epochs
        measured.costs[len(bundle)] = (epoch, max(0.0, total - epochs * epoch))
        measured.peaks[len(bundle)] = max(outcome.cost["peak_memory_bytes"] for outcome in done)
        smallest = min(float(outcome.facts.get("device_memory_bytes", 0)) for outcome in done)
        measured.capacity = min(smallest, measured.capacity or smallest)

    def _go_on(self, measured: _Measured, bundle: Bundle) -> None:
        """Plan the steps that follow from the first one; then the next step, or the end."""
        members, light = measured.program.members, measured.program.light
        if (len(bundle), bundle.specs[0].n_epochs) == (1, 1) and 1 in measured.costs:
            alone = max(measured.costs[1][0], 1e-3)
            most = min(max(EPOCHS, round(ENOUGH_SECONDS / alone)), MOST_EPOCHS)
            epochs = 1 if alone > SHORT_SECONDS else LIGHT_EPOCHS if light else most
            members = min(members, LIGHT_MEMBERS) if light else members
            measured.steps += [(1, epochs)] if epochs > 1 else []
            measured.steps += [(members, epochs)] if members > 1 else []
        if measured.steps:
            self._waiting.append(measured)
        else:
            self.done.append(measured)


def profile_of(measured: _Measured, device: str) -> Profile | None:
    """Return the profile that a probe gave; None: it failed."""
    if 1 not in measured.costs:
        return None
    two = max(measured.costs)
    return Profile(
        device=device,
        members=two,
        epoch_seconds=(measured.costs[1][0], measured.costs[two][0]),
        fixed_seconds=(measured.costs[1][1], measured.costs[two][1]),
        peak_bytes=(measured.peaks[1], max(measured.peaks.values())),
        capacity_bytes=measured.capacity,
        out_of_memory=measured.out_of_memory,
    )


def keep_profiles(ledger: Ledger, source: ProbeSource) -> dict[str, Profile]:
    """Write what a source measured into the ledger's folder, and return it by program."""
    found = {}
    facts: dict[str, Any] = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "versions": versions()}
    for measured in source.done:
        profile = profile_of(measured, source.device)
        if profile is not None:
            profiles.write_profile(ledger.folder, measured.program.key, profile.as_json(), facts)
            found[measured.program.key] = profile
    return found
