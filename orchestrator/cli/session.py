"""One `orchestrate run`: an executor, signals, progress, ledger, then the report."""

from __future__ import annotations

import contextlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator

from orchestrator.cli import console
from orchestrator.cli.live_tracking import LiveTrackers
from orchestrator.cli.options import RunOptions
from orchestrator.cli.reporting import ReportAhead, answer
from orchestrator.cli.requested_study import is_new, requested_study
from orchestrator.cli.signals import NOTHING_LOST, SIGNALS, leave
from orchestrator.errors import FailureBudgetError, InterruptedRunError, RequestError, UnknownNameError
from orchestrator.executors.base import Executor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.kept_facts import are_unknown
from orchestrator.plan.nothing_to_do import n_known_trials
from orchestrator.plan.plan import Plan, plan_of
from orchestrator.plan.rehearsal import check_methods
from orchestrator.price.budgets import Budget, Spending
from orchestrator.record.study_json import require_own_file
from orchestrator.run.progress import UNANSWERABLE, Progress
from orchestrator.run.progress import RunOptions as How
from orchestrator.run.runner import Runner
from orchestrator.run.train import train
from orchestrator.search.rehearsal import check_searches
from orchestrator.study import Study
from orchestrator.trial import FailureKind

__all__ = ["CommandLimits", "checked_plan", "end_early", "run", "run_study", "train_missing"]

LOOKS_UP = """
import json, sys
from pathlib import Path
from orchestrator.cli import plan_view
from orchestrator.cli.options import PlanOptions

asked = json.loads(sys.argv[1])
plan_view.look_up(PlanOptions(**{**asked, "results": Path(asked["results"])}))
"""

LEAVE_SECONDS = 12.0
"""After a signal: if no clean end has come by then (Ray's processes may have had the signal too), just leave."""


def run(options: RunOptions, executor: Executor) -> None:
    """Train what is missing, then report; the executor, started or not, is closed.

    Raises:
        InterruptedRunError: a signal or the time budget ended the run.
        FailureBudgetError: too many trials failed.
        RequestError: the request was wrong.
    """
    run_study(requested_study(options), options, executor)


def run_study(study: Study, options: RunOptions, executor: Executor) -> None:
    """Train what a study misses, then report; the executor, started or not, is closed.

    Raises:
        OrchestratorError: as `run`.
    """
    searches = any(design.search is not None for design in study.designs)
    limits, ahead = CommandLimits(options), ReportAhead(notebook=options.notebook, searches=searches)
    trackers = LiveTrackers(study, options) if options.trackers else None
    try:
        plan = _started_early(study, options, executor)

        def begun() -> None:
            if trackers is not None:
                trackers.begin()
            if options.report:
                ahead.begin()

        stop_reason = _trained(plan, study, options, limits, executor, begun)
        executor.end()  # while the report is written
        if trackers is not None:
            trackers.finish()
        if stop_reason:
            end_early(stop_reason)
        if options.report:
            answer(study.key, options.reporting, ahead.kernel())
    finally:
        if trackers is not None:
            trackers.close()
        ahead.close()
        executor.close()


def checked_plan(study: Study, catalogue: Catalogue) -> Plan:
    """Return the plan of a study that can be run and answered: levels within their domains, enough seeds.

    Raises:
        RequestError: it cannot.
    """
    plan = plan_of(study, catalogue)
    plan.require_power()
    check_searches(plan)
    check_methods(plan.configurations, study.metric, catalogue, study.called)
    return plan


def _started_early(study: Study, options: RunOptions, executor: Executor) -> Plan | None:
    """Check a study that has left nothing in the results folder and start its executor, since it surely has work.

    Ray then starts while all else is imported. Returns the plan; None: it is not known whether there is work.

    Raises:
        RequestError: the plan does not hold.
    """
    if not is_new(options, study.key):
        return None
    executor.anticipate()
    if options.study and not options.plugins and are_unknown(study.methods):
        _look_up_apart(options, executor)
    plan = checked_plan(study, Catalogue(options.plugins))
    executor.start()
    executor.expect(plan.kinds(), options.plugins)
    return plan


def _look_up_apart(options: RunOptions, executor: Executor) -> None:
    """Have the executor look up elsewhere the facts of methods and data that nobody has kept yet.

    That takes PyTorch, which this process would hold to the end of the run. Whatever goes wrong there goes wrong here
    again, and is told.
    """
    asked = {"study": options.study, "tier": options.tier, "settings": options.settings}
    executor.run_apart(LOOKS_UP, json.dumps({**asked, "results": str(options.results)}))


class CommandLimits:
    """What a command may take, over all studies that it runs: time from its beginning, and hours of devices.

    Args:
        options: of the command.

    Raises:
        RequestError: a budget has a wrong form.
    """

    def __init__(self, options: RunOptions) -> None:
        self.time_budget, self.began = options.time_budget or None, time.monotonic()
        self.spending = Spending(options.results, [Budget.of(text) for text in options.budget_hours])

    def require_time(self) -> None:
        """Check that something is left of the time budget.

        Raises:
            InterruptedRunError: nothing is left.
        """
        if self.time_budget is not None and time.monotonic() - self.began > self.time_budget:
            raise InterruptedRunError(f"the time budget of {self.time_budget:g} s is spent; {NOTHING_LOST}")


def _trained(
    plan: Plan | None,
    study: Study,
    options: RunOptions,
    limits: CommandLimits,
    executor: Executor,
    begun: Callable[[], None],
) -> str:
    """Train what is missing; return why that ended early, if it did."""
    if not (options.only_current or options.retry_failed):
        with Ledger(options.results) as ledger:
            require_own_file(study, ledger)
            n_trials = n_known_trials(study, ledger, options.plugins)
        if n_trials is not None:
            if not options.as_json:
                console.nothing_to_do(study.name, study.question, n_trials)
            return ""
    plan = plan or checked_plan(study, Catalogue(options.plugins))
    with Ledger(options.results, writable=True, take_over=options.take_over, patience=options.wait) as ledger:
        limits.require_time()
        return train_missing(plan, options, limits, ledger, executor, begun)


def train_missing(
    plan: Plan,
    options: RunOptions,
    limits: CommandLimits,
    ledger: Ledger,
    executor: Executor,
    begun: Callable[[], None] = lambda: None,
) -> str:
    """Train what a study misses, in sight of whoever sits at the terminal; returns why that ended early, if it did.

    Args:
        plan: of the study.
        options: how to run.
        limits: of the command.
        ledger: open for writing.
        executor: where bundles train.
        begun: called whenever there is news: workers are training, and this process has time.
    """
    require_own_file(plan.study, ledger)
    how = How(
        plugins=options.plugins,
        retry_failed=_kinds(options.retry_failed),
        only_current=options.only_current,
        time_budget=limits.time_budget,
        began=limits.began,
        spending=limits.spending,
        limits=options.limits,
        bundles_per_gpu=options.bundles_per_gpu,
    )
    with console.watching(plan.study.name, plan.study.question, quiet=options.as_json or options.quiet) as watch:
        return train(plan, ledger, executor, how, _Terminal(watch, begun), options.max_concurrent)


class _Terminal:
    """The observer of a run at a terminal."""

    def __init__(self, watch: console.Watch, begun: Callable[[], None]) -> None:
        self._watch, self._begun = watch, begun

    def planned(self, progress: Progress, finished: bool) -> None:
        """Say what is planned."""
        self._watch.planned(progress, finished=finished)

    def heard(self, progress: Progress) -> None:
        """Show where the run stands."""
        self._begun()
        self._watch.update(progress)

    def dashboard(self, address: str) -> None:
        """Say where the cluster's dashboard is."""
        self._watch.dashboard(address)

    @contextlib.contextmanager
    def stoppable(self, runner: Runner) -> Iterator[None]:
        """First Ctrl-C or SIGTERM: stop cleanly, within a time. A second one: leave at once. What is durable stays."""

        def handler(number: int, _: object) -> None:
            if runner.stop_reason:
                leave()
            runner.stop(f"interrupted by {signal.Signals(number).name}")
            watchdog = threading.Timer(LEAVE_SECONDS, leave)
            watchdog.daemon = True  # a clean end comes first and takes it along
            watchdog.start()

        before = {number: signal.signal(number, handler) for number in SIGNALS}
        try:
            yield
        finally:
            if not runner.stop_reason:  # else the handlers stay until this process ends: closing may be interrupted too
                for number, old in before.items():
                    signal.signal(number, old)


def end_early(reason: str) -> None:
    """Raise what a stopped run ends in."""
    if reason.startswith(UNANSWERABLE):
        raise RequestError(reason)
    if reason.startswith("failure budget"):
        raise FailureBudgetError(
            f"{reason}; orchestrate status and orchestrate trial ID say why; --retry-failed tries them again"
        )
    raise InterruptedRunError(f"{reason}; {NOTHING_LOST}")


def _kinds(retry_failed: str) -> frozenset[FailureKind]:
    if retry_failed == "all":
        return frozenset(FailureKind)
    if retry_failed and retry_failed not in list(FailureKind):
        raise UnknownNameError("failure kind", retry_failed, ["all", *FailureKind])
    return frozenset([FailureKind(retry_failed)] if retry_failed else [])
