"""One `orchestrate run`: signals, progress, ledger, report."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.bundles.profile import require_precision
from orchestrator.cli import console
from orchestrator.cli.options import Request, checked
from orchestrator.cli.probes import probe
from orchestrator.cli.signals import NOTHING_LOST, SIGNALS, leave
from orchestrator.errors import FailureBudgetError, InterruptedRunError, LedgerError, UnknownNameError
from orchestrator.ledger import Ledger
from orchestrator.plan import nothing_to_do
from orchestrator.plan.planning import Catalogue
from orchestrator.provenance import machine, n_gpus
from orchestrator.study import Study
from orchestrator.trial import FailureKind

if TYPE_CHECKING:
    from analysis.pages.kernel import WaitingKernel
    from orchestrator.run.progress import Progress

__all__ = ["NOTHING_LOST", "end_early", "report", "report_all", "run", "train"]

LEAVE_SECONDS = 12.0
"""After a signal: if no clean end has come by then (Ray's processes may have had the signal too), just leave."""


def run(study: Study, request: Request, executor: Any, catalogue: Catalogue | None = None) -> None:
    """Train what is missing, then report; the executor, started or not, is closed.

    Args:
        study: what to run.
        request: how.
        executor: of `executor_of`.
        catalogue: of `checked`; None: it is checked here, if there is something to do.

    Raises:
        InterruptedRunError: a signal or the time budget ended the run.
        FailureBudgetError: too many trials failed.
        RequestError: the request was wrong.
    """
    ahead = _Ahead(request)
    try:
        stop_reason = _trained(study, request, executor, catalogue, ahead.begin)
        executor.end()  # while the report is written
        if stop_reason:
            end_early(stop_reason)
        _answer(study.key, request, ahead.kernel())
    finally:
        ahead.close()
        executor.close()


class _Ahead:
    """What a report takes long to begin with, made ready while trials are trained: its imports and a kernel."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._kernel: WaitingKernel | None = None
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Begin, in the background; does nothing the second time, or when there is to be no report."""
        if self._thread is None and self._request.report:
            self._thread = threading.Thread(target=self._load, name="report", daemon=True)
            self._thread.start()

    def kernel(self) -> WaitingKernel | None:
        """Return the kernel that waits for a notebook; None: none was started."""
        if self._thread is not None:
            self._thread.join()
        return self._kernel

    def close(self) -> None:
        """End the kernel, if it still waits."""
        if self._kernel is not None:
            self._kernel.close()

    def _load(self) -> None:
        if self._request.notebook:
            from analysis.pages.kernel import WaitingKernel

            self._kernel = WaitingKernel()
        from analysis.pages import report

        report.preload()


def _trained(
    study: Study, request: Request, executor: Any, catalogue: Catalogue | None, begun: Callable[[], None]
) -> str:
    """Train what is missing; return why that ended early, if it did."""
    retry = _kinds(request.retry_failed)
    if not (request.only_current or retry):
        with Ledger(request.results) as ledger:
            n_settled = nothing_to_do.n_settled(study, ledger, request.plugins)
        if n_settled is not None:
            if not request.as_json:
                console.nothing_to_do(study, n_settled)
            return ""
    catalogue = catalogue or checked(study, request.plugins)
    with Ledger(request.results, writable=True, take_over=request.take_over) as ledger:
        return str(train(study, request, ledger, executor, catalogue, begun).stop_reason)


def report(name: str, request: Request) -> None:
    """Build the report of a study from the ledger alone; of a study under way, it is a look that is remembered."""
    _remember_looks(request.results, name)
    _answer(name, request)


def report_all(request: Request) -> None:
    """Build the report of every study of the ledger, the index page and ANSWERS.md."""
    from analysis.pages import index

    _remember_looks(request.results)
    found = index.build(
        request.results, request.out, notebook=request.notebook, words=request.answers, watch=_watch(request)
    )
    if request.as_json:
        print(json.dumps(dataclasses.asdict(found), default=str))
    else:
        console.index_text(found)


def _remember_looks(results: Path, name: str = "") -> None:
    """Write looks at studies under way down before they are taken: their verdicts, and those at the end, pay for them.

    Args:
        results: the results folder.
        name: a study; empty: all.
    """
    from analysis.data import study_view
    from analysis.verdicts import early_looks
    from orchestrator.ledger.studies import add_look
    from orchestrator.run.record import early_look

    if (results / study_view.COMMITTED).is_file():
        return
    for study in [study_view.load(results, name)] if name else study_view.load_all(results):
        n_seeds = early_looks.seeds_seen(study)
        look = early_look(study.record, n_seeds) if n_seeds else None
        if look is not None:
            try:
                add_look(results, study.name, look)
            except LedgerError as error:  # a folder that is only read can be reported on
                console.err.print(str(error), style="yellow", markup=False)


def _watch(request: Request) -> Callable[[str], None]:
    return (lambda _: None) if request.as_json else (lambda text: console.out.print(text, style="dim", markup=False))


def train(
    study: Study,
    request: Request,
    ledger: Ledger,
    executor: Any,
    catalogue: Catalogue,
    begun: Callable[[], None] = lambda: None,
) -> Any:
    """Train what a study misses, and return the runner; its `stop_reason` says if it ended early.

    `begun` is called whenever there is news: workers are training, and this process has time.
    """
    from orchestrator.run.runner import Runner, RunOptions

    options = RunOptions(
        plugins=request.plugins,
        retry_failed=_kinds(request.retry_failed),
        only_current=request.only_current,
        time_budget=request.time_budget or None,
        budget_hours=request.budget_hours or None,
        device=executor.device(),
        bundles_per_gpu=request.bundles_per_gpu,
    )
    require_precision(study.precision, options.device)
    probe(study, ledger, catalogue, executor, options.device)
    priced = _priced(study, request, ledger, catalogue, options.device)
    with console.watching(study, quiet=request.as_json) as watch:

        def heard(progress: Progress) -> None:
            begun()
            watch.update(progress)

        runner = Runner(study, ledger, catalogue, options, heard)
        watch.planned(runner)
        if not runner.finished:
            runner.write_record()
            _point_at(executor.dashboard(), ledger, request)
            with _signals(runner):
                executor.run(runner)
            ledger.compact()
        spent = runner.account.entry(runner.progress.trained, runner.stop_reason, priced)
        runner.clear_up()
        runner.write_record(spent if runner.account.start_seconds else None)
        _write_journal(runner, ledger)
    return runner


def _point_at(dashboard: str, ledger: Ledger, request: Request) -> None:
    """Say where Ray's dashboard is, here and to `orchestrate status`."""
    if dashboard:
        ledger.announce(dashboard)
        if not request.as_json:
            console.out.print(f"Ray dashboard: {dashboard}", markup=False, soft_wrap=True)


def _write_journal(runner: Any, ledger: Ledger) -> None:
    """Write a study's searches as an Optuna journal beside its record, for optuna-dashboard."""
    from orchestrator.ledger.files import write_durably
    from orchestrator.search.journal import journal_of

    if runner.searches and runner.account.start_seconds:
        searches = {f"{phase.search.method} @ {phase.dataset}": phase.rounds for phase in runner.searches}
        write_durably(ledger.study_folder(runner.study.key) / "optuna.journal", journal_of(searches))


def _priced(study: Study, request: Request, ledger: Ledger, catalogue: Catalogue, device: str) -> dict[str, Any] | None:
    """Return the price of what is missing, as study.json keeps it; None where nothing is known."""
    from orchestrator.cli import plan_view
    from orchestrator.price.price import price

    workers = request.max_concurrent or (n_gpus() if device == "cuda" else int(machine()["cores"]))
    rows = ledger.trials()
    asked, known = (
        plan_view.demand(study, catalogue, ledger, rows),
        plan_view.knowledge([study], catalogue, ledger, rows, device),
    )
    found = price(asked.waves, known, workers, plan_view.start_seconds(ledger))
    return None if found.unknown else found.as_json()


@contextlib.contextmanager
def _signals(runner: Any) -> Iterator[None]:
    """First Ctrl-C or SIGTERM: stop cleanly, but within a time. A second one: leave at once. What is durable stays."""

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


def _answer(name: str, request: Request, kernel: WaitingKernel | None = None) -> None:
    if not request.report:
        return
    from analysis.pages.report import build

    answer = build(request.results, name, notebook=request.notebook, out=request.out, kernel=kernel)
    if request.as_json:
        print(json.dumps(dataclasses.asdict(answer), default=str))
    else:
        console.answer(answer)
