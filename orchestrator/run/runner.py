"""Runs a study: plan minus ledger -> executor -> ledger. The runner is the source that an executor pulls from.

It only joins the parts of a run: `schedule` says what is wanted, `queue` which bundle comes next, `outcomes` makes what
ended durable, `known_results` remembers it, `worker_seconds` counts what it cost, `record` writes study.json.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from orchestrator.bundles.equivalence import EquivalenceGuard
from orchestrator.bundles.program import bundle_key
from orchestrator.bundles.size import BundleLimits
from orchestrator.ledger import Ledger
from orchestrator.plan.plan import Plan
from orchestrator.price.worker_seconds import WorkerSeconds
from orchestrator.record.failure_log import keep_death, keep_failures
from orchestrator.record.own_code import code_of_methods
from orchestrator.record.study_json import chosen_of, earlier_record, write_record
from orchestrator.run.checks import Checks
from orchestrator.run.gathering import Gathering, together
from orchestrator.run.keeping import Keeping
from orchestrator.run.known_results import KnownResults, results_of_ledger
from orchestrator.run.outcomes import Outcomes
from orchestrator.run.progress import Progress, RunOptions
from orchestrator.run.queue import BundleQueue
from orchestrator.run.schedule import Schedule
from orchestrator.run.stopping_rule import may_stop
from orchestrator.run.unfinished_bundles import forget_ended
from orchestrator.search.warm_start import searches_of
from orchestrator.study import Study
from orchestrator.trial import Bundle, BundleTask, FailureKind, Report, SeedBlock, TrialSpec

__all__ = ["Progress", "RunOptions", "Runner"]


class Runner:
    """The source of bundles for an executor; see `executors.base.Source` for who calls what.

    Args:
        plan: what to run.
        ledger: open for writing.
        options: how to run.
        observer: called with the progress after every report.
    """

    def __init__(
        self, plan: Plan, ledger: Ledger, options: RunOptions, observer: Callable[[Progress], None] = lambda _: None
    ) -> None:
        study, catalogue = plan.study, plan.catalogue
        self.study, self.progress, self.worker_seconds = study, Progress(), WorkerSeconds()
        self._ledger, self._options, self._observer, self._stop_reason = ledger, options, observer, ""
        earlier = earlier_record(ledger, study.key)
        self._digests = {name: catalogue.method(name).code_digest for name in study.methods}
        self._needed = _metrics_looked_at(study)
        prunes = any(search.pruner != "none" for search in study.searches())
        codes = set(self._digests.values()) if options.only_current else None
        past = results_of_ledger(ledger, study.methods, codes, options.retry_failed, curves=prunes)
        self._results = KnownResults(past)
        self._keeping = Keeping(ledger, study.keep, self._results)
        self._guard = EquivalenceGuard(
            lambda spec: bundle_key(spec, catalogue.space(spec.method)),
            earlier.get("equivalence", {}),
            exact=options.device == "cpu",
        )
        self._limits = BundleLimits(ledger, catalogue, study.key, options.device, options.bundles_per_gpu)
        self._queue = BundleQueue(ledger, catalogue, self._limits, self._guard, self._results, self.progress)
        self._checks = Checks(self._guard, self._queue, self._results)
        own_codes = code_of_methods(self._digests, options.plugins)
        for code in own_codes.values():
            self.progress.note_all(code.notes)
        asked = partial(_asked_of, study)
        self._outcomes = Outcomes(
            ledger, own_codes, self._results, self.progress, study.failure_budget, asked, with_curves=prunes
        )
        self.schedule = Schedule(
            plan,
            searches_of(plan, ledger, self._results.get, earlier),
            base_of=lambda name, dataset: chosen_of(ledger.studies.read(name)[0], name, dataset),
            decided=self._is_decided,
        )
        self._gathering, self._news = Gathering(), True
        """The second: whether something has ended that the phases were not asked about."""
        while self._news:
            self._step()

    # -- what the executor calls -------------------------------------------------------------------------------------

    def next_task(self) -> BundleTask | None:
        """Hand out the next bundle; what waits in the queue comes before what a phase would have to think of."""
        if not self._queue:
            self._take_gathered()
        while self._news and not self._queue and not self.stopping:
            self._step()
        bundle = None if self.stopping else self._queue.take()
        if bundle is None:
            return None
        share = self._limits.share(bundle)
        self.worker_seconds.opened(bundle.bundle_id, share)
        is_check = self._guard.is_check(bundle)
        return BundleTask(
            bundle=bundle,
            device=self._options.device,
            checkpoint_folder="" if is_check else str(self._ledger.checkpoints.folder(bundle.bundle_id)),
            checkpoint_seconds=self._options.checkpoint_seconds,
            code_digest=self._digests[bundle.specs[0].method],
            share=share,
            plugins=self._options.plugins,
            needed=self._needed,
            limits=self._options.limits,
            ended_members=self._queue.recorded(bundle),
            kept_members=() if is_check else self._keeping.members(bundle),
        )

    @property
    def finished(self) -> bool:
        """Whether no bundle will come any more; if nothing waits or runs, the phases are asked what they want."""
        if self.stopping:
            return True
        if self._gathering.due or self._queue.n_open <= len(self._gathering):
            self._take_gathered()
        while self._news and not self._queue and not self._queue.n_open:
            self._step()
        return not self._queue and not self._queue.n_open and self.schedule.finished

    @property
    def stopping(self) -> bool:
        """Whether the run shall end early; `stop_reason` says why."""
        if self.stop_reason:
            self._take_gathered()
            return True
        return False

    @property
    def stop_reason(self) -> str:
        """Why the run ends early; empty: it does not."""
        budget, spending = self._options.time_budget, self._options.spending
        if self._stop_reason:
            return self._stop_reason
        if budget is not None and time.monotonic() - self._options.began > budget:
            self.stop(f"the time budget of {budget:g} s is spent")
        elif spending is not None:
            self._stop_reason = spending.exceeded(lambda: self.worker_seconds.device_seconds)
        return self._stop_reason

    def report(self, bundle: Bundle, report: Report) -> None:
        """Keep rows; make ended members durable, then let the phases go on."""
        self.worker_seconds.heard(bundle.bundle_id, report.device_name)
        self._keeping.take(report)  # before its rows: a complete trial has its files
        if self._options.spending is not None:
            self._options.spending.note(lambda: self.worker_seconds.device_seconds)
        if not self._guard.is_check(bundle) and self._gathering.waits(bundle, report, self._queue.n_open):
            if self._gathering.due:
                self._take_gathered()
            return
        rows = self._queue.rows(bundle)
        self.progress.note(report.note)
        if report.restarted:
            rows.clear()
        rows.add(report.rows)
        if report.out_of_memory:
            self._limits.ran_out(bundle, report.out_of_memory)
        if self._guard.is_check(bundle):
            if report.finished:
                self.progress.note(self._checks.judge(bundle, report.outcomes[-1], rows))
                self.write_record()  # a command that goes on does not repeat it
        elif report.outcomes:
            keep_failures(self._ledger, bundle, report.outcomes, report.log)
            own = rows.of(report.trial_ids)
            self._queue.last(self._outcomes.take(report.outcomes, own))
            self._stop_if_hopeless()
            self._queue.count(bundle)
        if report.finished:
            self._checks.plan(bundle, rows)
            self._close(bundle)
            self._heard_news()
        self._observer(self.progress)

    def prepare(self) -> None:
        """Ask a phase for what comes next while nobody waits: a search thinks for milliseconds about a proposal."""
        if self._gathering.due:
            self._take_gathered()
        if self._news and not self.stopping:
            self._step()

    def decide(self, bundle: Bundle) -> Sequence[int]:
        """Ask the pruners of the searches that a bundle's members belong to."""
        for pruner in self.schedule.pruners:
            pruner.observe(self._queue.rows(bundle).curves(pruner.metric))
        stopped = []
        for member, spec in enumerate(bundle.specs):
            if self._results.of_this_run(spec.trial_id) is None and self.schedule.is_hopeless(spec.trial_id):
                stopped.append(member)
        return stopped

    def lost(self, bundle: Bundle, kind: FailureKind, error: str, log: str = "") -> None:
        """Plan a bundle again after the death of its process, or give it up: what its failure kind says."""
        self._take_gathered()
        self._close(bundle)
        was_check = self._guard.is_check(bundle)
        self._guard.dropped(bundle)
        if was_check:
            return
        keep_death(self._ledger, bundle, kind, error, log)
        if kind is FailureKind.OUT_OF_MEMORY:
            self._limits.ran_out(bundle, len(bundle))
        hopeless = self._queue.plan_again(bundle, kind)
        if hopeless:
            self._queue.last(self._outcomes.give_up(bundle, hopeless, kind, error))
            self._stop_if_hopeless()
        self._heard_news()
        self._observer(self.progress)

    def interrupted(self, bundle: Bundle) -> None:
        """Close a bundle that stopped early; its checkpoint stays."""
        self._close(bundle)
        self._guard.dropped(bundle)

    def stop(self, reason: str) -> None:
        """End the run at the next evaluation of every bundle; safe to call from a signal handler."""
        self._stop_reason = self._stop_reason or reason

    # -- what the command calls --------------------------------------------------------------------------------------

    def write_record(self, spent: Mapping[str, Any] | None = None) -> None:
        """Write study.json and plan.parquet as they stand; when all is done, the look that was taken goes in.

        Args:
            spent: the entry of a run that has ended (see `worker_seconds`).
        """
        self._take_gathered()
        standing = self.schedule.standing(self._guard.record())
        write_record(self._ledger, standing, self._options.plugins, spent)

    def clear_up(self) -> None:
        """Delete the checkpoints of bundles that nobody will go on with; to be called when nothing is under way."""
        self._take_gathered()
        forget_ended(self._ledger, lambda trial_id: self._results.get(trial_id) is not None)

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _take_gathered(self) -> None:
        """Make the reports durable that wait for it, all at once, then let the phases go on."""
        gathered = self._gathering.take()
        if not gathered:
            return
        outcomes, epochs = together(gathered, self._queue.rows)
        self._queue.last(self._outcomes.take(outcomes, epochs))
        for bundle, _ in gathered:
            self._checks.plan(bundle, self._queue.rows(bundle))
            self._close(bundle)
        self._heard_news()
        self._observer(self.progress)

    def _stop_if_hopeless(self) -> None:
        """Stop when too many trials failed, or when one is complete that was not measured as the study asks."""
        reason = self._outcomes.overspent or self._outcomes.unanswerable
        if reason:
            self.stop(reason)

    def _close(self, bundle: Bundle) -> None:
        if self._queue.close(bundle):
            self.worker_seconds.closed(bundle.bundle_id)

    def _heard_news(self) -> None:
        self._news = True
        while self._news and self.schedule.pruners:  # they judge by what the searches have been told
            self._step()

    def _step(self) -> None:
        """Queue what each phase wants next: of a search one round. Without news there is nothing."""
        schedule = self.schedule
        fresh = schedule.advance(self._results.get)
        self._news = bool(fresh)
        self._keeping.ask(fresh)
        for trial in fresh:
            if not (trial.phase == "search" and schedule.pruners):
                self._results.forget_pruned(trial.spec.trial_id)
        wanted = {trial.spec.trial_id: trial.spec for trial in fresh}
        hits = self._results.n_known(wanted)
        self._queue.add(wanted.values(), schedule.may_stop_early)
        self.progress.planned(schedule.n_trials, schedule.phase, hits)

    def _is_decided(self, plan: Plan, n_seeds: int) -> bool:
        record = earlier_record(self._ledger, plan.study.key)
        return may_stop(plan, self.schedule.planned, self._results.get, record, n_seeds)


def _metrics_looked_at(study: Study) -> tuple[str, ...]:
    """Return the metric of a study and those that the rules of its searches look at, once each, in order."""
    metrics = [study.metric]
    for search in study.searches():
        metrics += search.metrics
    return tuple(dict.fromkeys(metrics))


def _asked_of(study: Study, spec: TrialSpec) -> tuple[str, ...]:
    """Return what a complete trial of a study must have measured: the study's metric, and what its search goes by."""
    found = [study.metric]
    if spec.seed_block is SeedBlock.SEARCH:
        for search in study.searches():
            if search.method == spec.method:
                found += search.metrics
    return tuple(found)
