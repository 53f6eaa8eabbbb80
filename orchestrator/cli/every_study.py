"""Every study of a tier, run one after another on one executor, its workers warm throughout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestrator.cli import console, plan_view, reporting, session
from orchestrator.cli.options import RunOptions
from orchestrator.errors import InterruptedRunError, OrchestratorError
from orchestrator.executors import executor_of
from orchestrator.executors.base import Executor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.nothing_to_do import n_known_trials
from orchestrator.plan.study_list import studies_of_tier
from orchestrator.record.study_json import require_own_file
from orchestrator.study import Study

__all__ = ["run", "run_studies"]


def run(options: RunOptions) -> None:
    """Run every study of a tier.

    Raises:
        OrchestratorError: as `run_studies`.
    """
    run_studies(studies_of_tier(options.tier, options.plugins), options)


def run_studies(studies: Sequence[Study], options: RunOptions) -> None:
    """Train what each study misses, one after another; one that fails does not stop the rest. Then report all.

    Raises:
        InterruptedRunError: a signal or the time budget ended the run.
        OrchestratorError: studies failed; the line names each and says why.
    """
    if not options.as_json:
        found = plan_view.priced_together(studies, options.results, options.plugins, options.max_concurrent)
        console.all_plans_text(found)
    failed: dict[str, str] = {}
    catalogue = Catalogue(options.plugins)
    limits = session.CommandLimits(options)
    executor = executor_of(options.executor, options.plugins)
    try:
        with Ledger(options.results, writable=True, take_over=options.take_over, patience=options.wait) as ledger:
            for study in studies:
                try:
                    limits.require_time()
                    _one(study, options, limits, ledger, executor, catalogue)
                except InterruptedRunError:
                    raise
                except Exception as error:  # whatever it is, the other studies have nothing to do with it
                    failed[study.key] = " ".join(f"{type(error).__name__}: {error}".split())
                    console.err.print(f"{study.key} failed: {failed[study.key]}", style="red", markup=False)
                    executor.close()
                    executor = executor_of(options.executor, options.plugins)
        executor.end()  # while the reports are written
        if options.report:
            reporting.report_all(options.reporting)
    finally:
        executor.close()
    if failed:
        reasons = "; ".join(f"{key}: {reason}" for key, reason in failed.items())
        raise OrchestratorError(f"{len(failed)} of {len(studies)} studies failed: {reasons}")


def _one(
    study: Study,
    options: RunOptions,
    limits: session.CommandLimits,
    ledger: Ledger,
    executor: Executor,
    catalogue: Catalogue,
) -> None:
    require_own_file(study, ledger)
    retries = options.only_current or options.retry_failed
    n_trials = None if retries else n_known_trials(study, ledger, options.plugins)
    if n_trials is None:
        stop_reason = session.train_missing(session.checked_plan(study, catalogue), options, limits, ledger, executor)
        if stop_reason:
            session.end_early(stop_reason)
    elif not options.as_json:
        console.nothing_to_do(study.name, study.question, n_trials)
    if options.trackers:
        from orchestrator.inspection import tracking

        tracking.export(options.results, study.key, options.trackers, options.plugins)
    if not options.as_json:
        console.out.print(_tally(study, options.results), markup=False)


def _tally(study: Study, results: Path) -> str:
    """Return what the study says by now, in one line."""
    from analysis.data import study_view
    from analysis.verdicts import verdicts

    view = study_view.load(results, study.key)
    return verdicts.tally(verdicts.verdicts(view), view.tier) or "It describes and tests nothing."
