"""Runs a study: plan minus ledger -> executor -> ledger. Everything else it delegates."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from orchestrator import discovery
from orchestrator.bundles.equivalence import EquivalenceGuard
from orchestrator.bundles.grouping import bundles, halves, shape_key
from orchestrator.bundles.size import BundleLimits
from orchestrator.executors.row_stream import Rows
from orchestrator.inference.sequential import Looks
from orchestrator.ledger import Ledger
from orchestrator.plan.nothing_to_do import plan_key
from orchestrator.plan.planning import Catalogue, PlannedTrial, contrasts
from orchestrator.provenance import code_digest, git_commit, versions
from orchestrator.retry_policy import POLICIES, given_up
from orchestrator.run.failure_log import keep_death, keep_failures, row_error
from orchestrator.run.known_results import curves_of, settled_rows
from orchestrator.run.progress import Progress, RunOptions
from orchestrator.run.record import chosen_of, first_plan, plan_table, study_json, with_look
from orchestrator.run.stopping_rule import all_decided, drawn_stages, values_of
from orchestrator.run.unfinished_bundles import forget_ended, revivable
from orchestrator.run.worker_seconds import Account
from orchestrator.search import warm_start
from orchestrator.search.phase import ConfirmPhase, SearchPhase, Settled, phases_of
from orchestrator.search.pruning import RoundPruner
from orchestrator.study import Study, UntilDecided
from orchestrator.trial import (
    Bundle,
    BundleTask,
    FailureKind,
    Report,
    SeedBlock,
    TrialOutcome,
    TrialSpec,
    TrialState,
)

__all__ = ["Progress", "RunOptions", "Runner"]


class Runner:
    """The source of bundles for an executor; see `executors.base.Source` for who calls what.

    Args:
        study: what to run.
        ledger: open for writing.
        catalogue: methods and datasets, looked up once.
        options: how to run.
        observer: called with the progress after every report.
    """

    def __init__(
        self,
        study: Study,
        ledger: Ledger,
        catalogue: Catalogue,
        options: RunOptions,
        observer: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.study, self.ledger, self.catalogue, self.options = study, ledger, catalogue, options
        self.observer, self.progress = observer, Progress()
        self.stop_reason, self.account = "", Account()
        self.planned: list[PlannedTrial] = []
        self._n_confirm = 0
        self.searches, self.confirm = phases_of(study, catalogue)
        self._phases: list[SearchPhase | ConfirmPhase] = [*self.searches, self.confirm]
        self._pruners = [RoundPruner(phase) for phase in self.searches if phase.search.pruner != "none"]
        self.digests = {name: code_digest(discovery.find("method", name, options.plugins)) for name in study.methods}
        self.limits = BundleLimits(ledger, catalogue, study.key, options.device, options.bundles_per_gpu)
        self._settled: dict[str, Settled] = {}
        self._past: dict[str, Settled] = self._from_ledger()
        self._queue: deque[Bundle] = deque()
        self._open: dict[str, Bundle] = {}
        self._rows: dict[str, Rows] = {}
        self._losses: dict[str, int] = {}
        self._news = True
        """Whether something has settled that the phases were not asked about."""
        self._living: dict[str, int] = {}
        known = self._earlier_record().get("equivalence", {})
        self.guard = EquivalenceGuard(self._shape_of, known, exact=options.device == "cpu")
        self.confirm.base_of = lambda name, dataset: chosen_of(ledger.read_study(name)[0], name, dataset)
        self.confirm.decided = self._decided
        warm_start.begin(self.searches, ledger, self._past.get, self._earlier_record())
        self._advance()

    # -- what the executor calls -------------------------------------------------------------------------------------

    def next_task(self) -> BundleTask | None:
        """Hand out the next bundle; what waits in the queue comes before what a phase would have to think of."""
        while self._news and not self._queue and not self.stopping:
            self._step()
        if self.stopping or not self._queue:
            return None
        bundle = self._queue.popleft()
        is_check = self.guard.is_check(bundle)
        if not is_check:
            self.guard.handed_out(bundle)
        self._open[bundle.bundle_id] = bundle
        self._rows[bundle.bundle_id] = Rows()
        self._count_running(bundle)
        self.account.opened()
        return BundleTask(
            bundle=bundle,
            device=self.options.device,
            checkpoint_folder="" if is_check else str(self.ledger.checkpoint_folder(bundle.bundle_id)),
            checkpoint_seconds=self.options.checkpoint_seconds,
            code_digest=self.digests[bundle.specs[0].method],
            share=self.limits.share(bundle),
            plugins=self.options.plugins,
            settled=tuple(member for member in range(len(bundle)) if self._recorded(bundle, member)),
        )

    @property
    def finished(self) -> bool:
        """Whether no bundle will come any more; if nothing waits or runs, the phases are asked what they want."""
        if self.stopping:
            return True
        while self._news and not self._queue and not self._open:
            self._step()
        return not self._queue and not self._open and all(phase.finished for phase in self._phases)

    @property
    def stopping(self) -> bool:
        """Whether the run shall end early; `stop_reason` says why."""
        budget = self.options.time_budget
        if not self.stop_reason and budget is not None and time.monotonic() - self.progress.started > budget:
            self.stop_reason = f"the time budget of {budget:g} s is spent"
        hours = self.options.budget_hours
        if not self.stop_reason and hours is not None and self.account.busy_seconds > 3600 * hours:
            self.stop_reason = f"the budget of {hours:g} worker-hours is spent"
        return bool(self.stop_reason)

    def report(self, bundle: Bundle, report: Report) -> None:
        """Keep rows; make ended members durable, then let the phases go on."""
        rows = self._rows[bundle.bundle_id]
        self.account.heard()
        self.progress.notes += [report.note] if report.note else []
        if report.restarted:
            rows.clear()
        rows.add(report.rows)
        if report.out_of_memory:
            self.limits.ran_out(bundle, report.out_of_memory)
        if self.guard.is_check(bundle):
            if report.finished:
                self._judge(bundle, report.outcomes[-1], rows)
        elif report.outcomes:
            keep_failures(self.ledger, bundle, report.outcomes, report.log)
            self._take(report.outcomes, rows.of({outcome.spec.trial_id for outcome in report.outcomes}))
            self._count_running(bundle)
        if report.finished:
            self._check_later(bundle, rows)
            self._close(bundle)
            self._heard_news()
        self.observer(self.progress)

    def prepare(self) -> None:
        """Ask a phase for what comes next while nobody waits: a search thinks for milliseconds about a proposal."""
        if self._news and not self.stopping:
            self._step()

    def decide(self, bundle: Bundle) -> Sequence[int]:
        """Ask the pruners of the searches that a bundle's members belong to."""
        for pruner in self._pruners:
            pruner.observe(self._rows[bundle.bundle_id].curves(pruner.metric))
        return [
            member
            for member, spec in enumerate(bundle.specs)
            if spec.trial_id not in self._settled and any(p.hopeless(spec.trial_id) for p in self._pruners)
        ]

    def lost(self, bundle: Bundle, kind: FailureKind, error: str, log: str = "") -> None:
        """Plan a bundle again after the death of its process, or give it up: what its failure kind says."""
        self._close(bundle)
        was_check = self.guard.is_check(bundle)
        self.guard.dropped(bundle)
        if was_check:
            return
        keep_death(self.ledger, bundle, kind, error, log)
        policy = POLICIES[kind]
        if kind is FailureKind.OUT_OF_MEMORY:
            self.limits.ran_out(bundle, len(bundle))
        count = self._losses.get(bundle.bundle_id, 0) + 1
        remaining = self._missing(bundle)
        if count < policy.attempts and remaining:
            parts = halves(bundle) if policy.halve or count > 1 else [bundle]  # two losses: one member may be to blame
            parts = [part for part in parts if self._missing(part)]
            for part in parts:
                self._losses[part.bundle_id] = count
            self._queue.extendleft(reversed(parts))
        else:
            dead = [given_up(bundle, spec, self.ledger.next_attempt(spec.trial_id), kind, error) for spec in remaining]
            self._take(dead, None)
        self._heard_news()
        self.observer(self.progress)

    def interrupted(self, bundle: Bundle) -> None:
        """Close a bundle that stopped early; its checkpoint stays."""
        self._close(bundle)
        self.guard.dropped(bundle)

    def stop(self, reason: str) -> None:
        """End the run at the next evaluation of every bundle; safe to call from a signal handler."""
        self.stop_reason = self.stop_reason or reason

    # -- results -----------------------------------------------------------------------------------------------------

    def settled(self, trial_id: str) -> Settled | None:
        """Return what is known of a trial that need not be trained (again)."""
        return self._settled.get(trial_id) or self._past.get(trial_id)

    def write_record(self, spent: Mapping[str, Any] | None = None) -> None:
        """Write study.json and plan.parquet as they stand; when all is done, the look that was taken goes in.

        Args:
            spent: the entry of a run that has ended (see `account`).
        """
        name = self.study.key
        earlier = self._earlier_record()
        record = study_json(self.study, self.searches, self.confirm, earlier)
        record["equivalence"] = self.guard.record()
        record["runs"] = [*earlier.get("runs", ()), *([] if spent is None else [spent])]
        if all(phase.finished for phase in self._phases):
            n_seeds = len(record["seeds"]["seeds"])
            for look in [*(look for look in self.study.looks if look < n_seeds), n_seeds]:
                record = with_look(record, look)
            record["finished_key"] = plan_key(self.study, self.options.plugins)
        self.ledger.write_study(name, record, plan_table(self.planned))

    def clear_up(self) -> None:
        """Delete the checkpoints of bundles that nobody will go on with; to be called when nothing is under way."""
        forget_ended(self.ledger, lambda trial_id: self.settled(trial_id) is not None)

    def _from_ledger(self) -> dict[str, Settled]:
        codes = set(self.digests.values()) if self.options.only_current else None
        return settled_rows(
            self.ledger, self.study.methods, codes, self.options.retry_failed, curves=bool(self._pruners)
        )

    def _take(self, outcomes: Sequence[TrialOutcome], epochs: pa.Table | None) -> None:
        shared = {"git_commit": git_commit(), "versions": versions()}
        news = [o for o in outcomes if o.attempt >= self.ledger.next_attempt(o.spec.trial_id)]  # a restart repeats some
        stamped = [
            replace(
                outcome,
                error=row_error(outcome.error),
                facts={"code_digest": self.digests[outcome.spec.method], **shared, **outcome.facts},
            )
            for outcome in news
        ]
        self.ledger.append(stamped, epochs)  # durable before anybody is told
        for outcome in stamped:
            if outcome.state is TrialState.FAILED and outcome.failure_kind is not None:
                self._failed(outcome)
            else:
                self._settle(outcome)

    def _settle(self, outcome: TrialOutcome) -> None:
        trial_id = outcome.spec.trial_id
        searched = bool(self._pruners) and outcome.spec.seed_block is SeedBlock.SEARCH
        curve = curves_of(self.ledger, [trial_id]).get(trial_id, {}) if searched else {}
        stages = outcome.facts.get("stages") or ""
        self._settled[trial_id] = Settled(outcome.state, outcome.collapsed, outcome.metrics, curve, stages)
        self.progress.collapsed += outcome.collapsed
        if outcome.state is TrialState.COMPLETE:
            self.progress.complete += 1
        elif outcome.state is TrialState.PRUNED:
            self.progress.pruned += 1

    def _failed(self, outcome: TrialOutcome) -> None:
        kind = outcome.failure_kind
        assert kind is not None
        if outcome.attempt < POLICIES[kind].attempts and kind is not FailureKind.OUT_OF_MEMORY:
            self._queue.append(Bundle((outcome.spec,), (outcome.attempt + 1,)))
            return
        self._settle(outcome)
        self.progress.failed[kind] = self.progress.failed.get(kind, 0) + 1
        n_failed = sum(self.progress.failed.values())
        if n_failed > self.study.failure_budget * max(self.progress.total, 1):
            self.stop(
                f"failure budget spent: {n_failed} of {self.progress.total} trials failed, "
                f"allowed are {self.study.failure_budget:.0%}"
            )

    def _close(self, bundle: Bundle) -> None:
        if self._open.pop(bundle.bundle_id, None) is not None:
            self.account.closed()
        self._rows.pop(bundle.bundle_id, None)
        self._count_running(bundle)

    def _count_running(self, bundle: Bundle) -> None:
        """Count the members of one bundle anew: with a thousand open, counting all at each report took the driver."""
        living = len(self._missing(bundle)) if bundle.bundle_id in self._open else 0
        self.progress.running += living - self._living.get(bundle.bundle_id, 0)
        self._living[bundle.bundle_id] = living
        if not living:
            del self._living[bundle.bundle_id]

    def _missing(self, bundle: Bundle) -> list[TrialSpec]:
        return [spec for member, spec in enumerate(bundle.specs) if not self._recorded(bundle, member)]

    def _recorded(self, bundle: Bundle, member: int) -> bool:
        """Return whether the ledger has this attempt: the member ended, or is tried again in a bundle of its own."""
        return bundle.attempt(member) < self.ledger.next_attempt(bundle.specs[member].trial_id)

    # -- members trained again alone ---------------------------------------------------------------------------------

    def _shape_of(self, spec: TrialSpec) -> str:
        return shape_key(spec, self.catalogue.space(spec.method))

    def _allowed(self, bundle: Bundle) -> list[Bundle]:
        return [part for part in self.guard.apart(bundle) if self._missing(part)]

    def _check_later(self, bundle: Bundle, rows: Rows) -> None:
        if len(bundle) < 2:
            return
        found = {spec.trial_id: self._settled.get(spec.trial_id) for spec in bundle.specs}
        complete = {trial_id for trial_id, one in found.items() if one and one.state is TrialState.COMPLETE}
        check = self.guard.ended(bundle, complete, rows.of(complete))
        if check is not None:
            self._queue.appendleft(check)

    def _judge(self, check: Bundle, outcome: TrialOutcome, rows: Rows) -> None:
        differs = self.guard.judge(check, outcome, rows.of({outcome.spec.trial_id}))
        if differs:
            self.progress.notes.append(differs)
            self._queue = deque(part for bundle in self._queue for part in self._allowed(bundle))
        self.write_record()  # a command that goes on does not repeat it

    # -- what comes next ---------------------------------------------------------------------------------------------

    def _heard_news(self) -> None:
        self._news = True
        if self._pruners:  # they judge by what the searches have been told
            self._advance()

    def _advance(self) -> None:
        while self._news:
            self._step()

    def _step(self) -> None:
        """Queue what each phase wants next: of a search one round. Without news there is nothing."""
        fresh = [t for phase in self._phases for t in phase.advance(self.settled)]
        self._news = bool(fresh)
        self.planned += fresh
        self._n_confirm += sum(trial.phase == "confirm" for trial in fresh)
        self._forget_pruned(fresh)
        wanted = {t.spec.trial_id: t.spec for t in fresh}
        self.progress.hits += sum(self.settled(trial_id) is not None for trial_id in wanted)
        self._enqueue(wanted.values(), {t.spec.trial_id for t in fresh if t.phase == "search"})
        self.progress.total = sum(phase.n_trials for phase in self.searches) + self._n_confirm
        self.progress.phase = "confirm" if all(search.finished for search in self.searches) else "search"

    def _forget_pruned(self, fresh: Sequence[PlannedTrial]) -> None:
        for trial in fresh:  # a pruned row is a hit for a search that prunes, and for nothing else
            past = self._past.get(trial.spec.trial_id)
            if past is not None and past.state is TrialState.PRUNED and not (trial.phase == "search" and self._pruners):
                del self._past[trial.spec.trial_id]

    def _enqueue(self, wanted: Iterable[TrialSpec], searched: Collection[str]) -> None:
        """Queue what is missing: bundles that a killed run left in the middle as they were, the rest in plan order."""
        under_way = {spec.trial_id for bundle in (*self._queue, *self._open.values()) for spec in bundle.specs}
        spaces = self.catalogue.spaces(self.study.methods)
        specs = [spec for spec in wanted if spec.trial_id not in under_way]
        for prunable in (False, True):
            some = {spec.trial_id: spec for spec in specs if self._pruned_search(spec, searched) == prunable}
            missing = [trial_id for trial_id in some if self.settled(trial_id) is None]
            revived = revivable(self.ledger, some, missing)
            whole = {spec.trial_id for members in revived for spec in members}
            rest = [some[trial_id] for trial_id in missing if trial_id not in whole]
            cut = bundles(rest, spaces, self.limits, prunable=prunable)
            fresh = [bundle.specs for bundle in self.limits.fitting(cut)]
            for members in [*revived, *fresh]:
                ids = [spec.trial_id for spec in members]  # an attempt that is to come, or the last one if none is
                attempts = [self.ledger.next_attempt(one) - (self.settled(one) is not None) for one in ids]
                self._queue += self._allowed(Bundle(members, tuple(attempts), prunable))
        self._queue = deque(sorted(self._queue, key=self.limits.share, reverse=True))  # by class of resources; stable

    def _pruned_search(self, spec: TrialSpec, searched: Collection[str]) -> bool:
        prunes = any(p.search.pruner != "none" and p.search.method == spec.method for p in self.searches)
        return prunes and spec.trial_id in searched

    def _decided(self, n_seeds: int) -> bool:
        """Judge a sequential study at a look, on all its datasets at once."""
        if not isinstance(self.study.seeds, UntilDecided):
            return False
        values, collapsed = values_of(self.planned, self.settled, self.study.metric)
        family = [contrast for contrast, _ in contrasts(self.study, self.confirm.arms)]
        record = self._earlier_record()
        earlier = [look["n_seeds"] for look in record.get("looks_taken", [])]
        taken = [look for look in (*self.study.looks, *earlier) if look <= n_seeds]
        looks = Looks(first_plan(record) or self.study.planned_looks, tuple(sorted(set(taken))))
        stages = drawn_stages(self.planned, self.settled)
        return all_decided(self.study, family, values, collapsed, looks, stages, n_seeds)

    def _earlier_record(self) -> Mapping[str, Any]:
        name = self.study.key
        return self.ledger.read_study(name)[0] if name in self.ledger.study_names() else {}
