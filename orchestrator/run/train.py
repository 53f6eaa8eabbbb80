"""One run of a study: probe, price, train what is missing, keep the record; who watches it is not decided here."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Protocol

from orchestrator.bundles.profile import require_precision
from orchestrator.errors import RequestError
from orchestrator.executors.base import Executor
from orchestrator.ledger import Ledger
from orchestrator.ledger.files import write_durably
from orchestrator.plan.plan import Plan, choices_of, plan_of
from orchestrator.price.budgets import Spending
from orchestrator.price.demand import Demand, demand
from orchestrator.price.knowledge import busy_machine, knowledge, start_seconds
from orchestrator.price.price import price
from orchestrator.price.probing import probe
from orchestrator.provenance import machine, n_gpus
from orchestrator.record.study_json import earlier_record
from orchestrator.run.progress import Progress, RunOptions
from orchestrator.run.runner import Runner

__all__ = ["Observer", "train"]

RECORD_SECONDS, RECORD_SHARE = 10.0, 100.0
"""How long a record is left alone at least: in seconds, and in times what writing the last one took."""


class Observer(Protocol):
    """Who watches a run."""

    def planned(self, progress: Progress, finished: bool) -> None:
        """Take what is planned, before anything trains; `finished`: nothing will."""

    def heard(self, progress: Progress) -> None:
        """Take where the run stands, after every report."""

    def dashboard(self, address: str) -> None:
        """Take where the cluster's dashboard is."""

    def stoppable(self, runner: Runner) -> AbstractContextManager[None]:
        """Return a context in which signals stop the runner."""


def train(
    plan: Plan, ledger: Ledger, executor: Executor, options: RunOptions, observer: Observer, workers: int = 0
) -> str:
    """Train what a study misses; returns why that ended early, or nothing.

    Args:
        plan: of the study.
        ledger: open for writing.
        executor: where bundles train.
        options: how to run; the device is the executor's.
        observer: who watches.
        workers: for how many the run is priced; 0: what this machine has.
    """
    options = replace(options, device=executor.device())
    require_precision(plan.study.precision, options.device)
    asked = _demand(plan, ledger)
    probed = probe(asked, ledger, executor, options.device)
    priced = _priced(asked, ledger, options.device, workers, warm=bool(probed))
    spending = options.spending or Spending(ledger.folder)
    spending.begin(plan.study.key)
    options = replace(options, spending=spending)
    kept = _KeptRecord(observer)
    runner = kept.runner = Runner(plan, ledger, options, kept.heard)
    runner.progress.announce(asked.n_trials, asked.n_hits, priced)
    observer.planned(runner.progress, runner.finished)
    if not runner.finished:
        runner.write_record()
        address = executor.dashboard()
        _announce(ledger, asked, priced, address, options.device)
        if address:
            observer.dashboard(address)
        try:
            with observer.stoppable(runner):
                executor.run(runner)
        except RequestError:
            runner.write_record()  # a search that found nothing was told why: that stands in its record
            raise
        finally:
            spending.end(runner.worker_seconds.device_seconds)
        ledger.compact()
    seconds = runner.worker_seconds
    spent = seconds.entry(runner.progress.trained, runner.stop_reason, priced)
    runner.clear_up()
    runner.write_record(spent if seconds.start_seconds else None)
    if seconds.start_seconds:
        _write_journal(runner, ledger)
    return runner.stop_reason


class _KeptRecord:
    """Keeps the record of a study that runs: what `status` counts is what that asks for, and searches ask as they go.

    Args:
        observer: who watches the run besides.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.runner: Runner | None = None
        self._n_planned, self._due = 0, 0.0

    def heard(self, progress: Progress) -> None:
        """Take where the run stands; write the record if it asks for more, and the last one is old."""
        self._observer.heard(progress)
        if self.runner is None or time.monotonic() < self._due:
            return
        n_planned, began = len(self.runner.schedule.planned), time.monotonic()
        if n_planned != self._n_planned:
            self._n_planned = n_planned
            self.runner.write_record()
        self._due = time.monotonic() + max(RECORD_SECONDS, RECORD_SHARE * (time.monotonic() - began))


def _announce(ledger: Ledger, asked: Demand, priced: dict[str, Any] | None, address: str, device: str) -> None:
    """Tell whoever follows the folder what begins: its trials, its price and what it runs on."""
    counts = {"n_trials": asked.n_trials, "n_hits": asked.n_hits}
    where = {"device": device, **({"dashboard": address} if address else {})}
    ledger.announce(study=asked.plan.study.key, priced=priced, **counts, **where)


def _demand(plan: Plan, ledger: Ledger) -> Demand:
    """Return what is missing, with the choices that earlier runs of the study have recorded."""
    chosen = choices_of(plan, lambda key: earlier_record(ledger, key))
    known = plan_of(plan.study, plan.catalogue, chosen) if chosen else plan
    return demand(known, ledger)


def _priced(asked: Demand, ledger: Ledger, device: str, workers: int, *, warm: bool) -> dict[str, Any] | None:
    """Return the price of what is missing, as study.json keeps it; None where nothing is known.

    Args:
        asked: what is missing.
        ledger: of the folder.
        device: of the run.
        workers: for how many it is priced; 0: what this machine has.
        warm: whether workers have trained before in this command.
    """
    study, catalogue = asked.plan.study, asked.plan.catalogue
    workers = workers or (n_gpus() if device == "cuda" else int(machine()["cores"]))
    known = knowledge([study], catalogue, ledger, device)
    if device == "cpu":
        known = replace(known, busy=busy_machine(workers))
    found = price(asked.waves, known, workers, start_seconds(ledger, warm=warm))
    return None if found.unknown else found.as_json()


def _write_journal(runner: Runner, ledger: Ledger) -> None:
    """Write a study's searches as an Optuna journal beside its record, for optuna-dashboard."""
    searches = runner.schedule.searches
    if searches:
        from orchestrator.search.journal import journal_of

        named = {f"{phase.search.method} @ {phase.dataset}": phase.rounds for phase in searches}
        write_durably(ledger.studies.folder(runner.study.key) / "optuna.journal", journal_of(named))
