"""Every study of a tier: priced together, then run one after another on one Ray, its workers warm throughout."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator import discovery
from orchestrator.cli import console, plan_view, session
from orchestrator.cli.options import Request, executor_of
from orchestrator.designs.around import Around
from orchestrator.errors import InterruptedRunError, OrchestratorError
from orchestrator.ledger import Ledger
from orchestrator.plan import nothing_to_do
from orchestrator.plan.planning import Catalogue, validate
from orchestrator.plan.power import require_power
from orchestrator.price.price import price
from orchestrator.study import LOCAL, Study, check, key_of, load
from orchestrator.study.tiers import in_tier
from orchestrator.trial import TrialSpec

__all__ = ["plan", "run", "studies_of"]


def studies_of(tier: str, plugins: tuple[str, ...]) -> list[Study]:
    """Return every study that has the tier, by name; one that starts from another comes after it.

    Raises:
        OrchestratorError: a study file that cannot be loaded, or none has the tier.
    """
    loaded = [load(name, plugins) for name in discovery.names("study", plugins)]
    waiting = [in_tier(study, tier) for study in loaded if tier in (LOCAL, *study.tiers)]
    if not waiting:
        raise OrchestratorError(f"no study has a tier {tier!r}")
    for study in waiting:
        check(study)
    found: list[Study] = []
    while waiting:
        left = {study.key for study in waiting}
        ready = [study for study in waiting if not _starts_from(study) & left - {study.key}]
        found += ready or waiting  # a circle: whoever comes first says what it misses
        waiting = [study for study in waiting if study not in found]
    return found


def _starts_from(study: Study) -> set[str]:
    return {key_of(d.first) for d in study.designs if isinstance(d, Around) and isinstance(d.first, str)}


def plan(studies: Sequence[Study], results: Path, plugins: tuple[str, ...], workers: int) -> dict[str, Any]:
    """Return the price of each study's missing trials and of all together; a trial that two ask for counts once."""
    catalogue = Catalogue(plugins, without_data=True)
    lines: list[dict[str, Any]] = []
    confirm: dict[str, TrialSpec] = {}
    waves: list[list[TrialSpec]] = []
    with Ledger(results) as ledger:
        rows = ledger.trials()
        for study in studies:
            validate(study, catalogue)
            asked = plan_view.demand(study, catalogue, ledger, rows)
            known = plan_view.knowledge([study], catalogue, ledger, rows)
            cost = price(asked.waves, known, workers or plan_view.default_workers(study), (0.0, 0.0, 0.0))
            lines.append(_line(asked, cost.wall_seconds))
            waves += [*asked.to_search, [s for trial_id, s in asked.to_confirm.items() if trial_id not in confirm]]
            confirm |= asked.to_confirm
        n_workers = workers or plan_view.default_workers(studies[0])
        known = plan_view.knowledge(studies, catalogue, ledger, rows)
        total = price(waves, known, n_workers, plan_view.start_seconds(ledger))
    return {
        "studies": lines,
        "trials": sum(line["trials"] for line in lines),
        "missing": total.n_trials,
        "wall_seconds": list(total.wall_seconds),
        "sentences": [
            f"{len(lines)} studies, {sum(line['exploratory'] for line in lines)} of them exploratory.",
            *(f"Not here yet: {why}." for why in dict.fromkeys(catalogue.absent.values())),
            plan_view.price_sentence(total, plan_view.device_of(studies[0])),
        ],
    }


def _line(asked: plan_view.Demand, wall: Sequence[float]) -> dict[str, Any]:
    return {
        "study": asked.study.key,
        "question": asked.study.question,
        "exploratory": asked.study.exploratory,
        "trials": asked.n_trials,
        "hits": asked.n_hits,
        "missing": len(asked.missing),
        "wall_seconds": list(wall),
    }


def run(studies: Sequence[Study], request: Request) -> None:
    """Train what each study misses, one after another; one that fails does not stop the rest. Then report all.

    Raises:
        InterruptedRunError: a signal or the time budget ended the run.
        OrchestratorError: studies failed; the line names each and says why.
    """
    if not request.as_json:
        console.everything_text(plan(studies, request.results, request.plugins, request.max_concurrent))
    failed: dict[str, str] = {}
    catalogue = Catalogue(request.plugins)
    began = time.monotonic()
    executor = executor_of(request)
    try:
        with Ledger(request.results, writable=True, take_over=request.take_over) as ledger:
            for study in studies:
                try:
                    _one(study, _within(request, began), ledger, executor, catalogue)
                except InterruptedRunError:
                    raise
                except Exception as error:  # whatever it is, the other studies have nothing to do with it
                    failed[study.key] = " ".join(f"{type(error).__name__}: {error}".split())
                    console.err.print(f"{study.key} failed: {failed[study.key]}", style="red", markup=False)
                    executor.close()
                    executor = executor_of(request)
        executor.end()  # while the reports are written
        if request.report:
            session.report_all(request)
    finally:
        executor.close()
    if failed:
        reasons = "; ".join(f"{key}: {reason}" for key, reason in failed.items())
        raise OrchestratorError(f"{len(failed)} of {len(studies)} studies failed: {reasons}")


def _one(study: Study, request: Request, ledger: Ledger, executor: Any, catalogue: Catalogue) -> None:
    retries = request.only_current or request.retry_failed
    n_settled = None if retries else nothing_to_do.n_settled(study, ledger, request.plugins)
    if n_settled is None:
        require_power(study, validate(study, catalogue))
        runner = session.train(study, request, ledger, executor, catalogue)
        if runner.stop_reason:
            session.end_early(runner.stop_reason)
    elif not request.as_json:
        console.nothing_to_do(study, n_settled)
    if not request.as_json:
        console.out.print(_tally(study, request.results), markup=False)


def _tally(study: Study, results: Path) -> str:
    """Return what the study says by now, in one line."""
    from analysis.data import study_view
    from analysis.verdicts import verdicts

    view = study_view.load(results, study.key)
    return verdicts.tally(verdicts.verdicts(view), view.tier) or "It describes and tests nothing."


def _within(request: Request, began: float) -> Request:
    """Return the request with what is left of its time budget."""
    if not request.time_budget:
        return request
    left = request.time_budget - (time.monotonic() - began)
    if left <= 0:
        raise InterruptedRunError(f"the time budget of {request.time_budget:g} s is spent; {session.NOTHING_LOST}")
    return replace(request, time_budget=left)
