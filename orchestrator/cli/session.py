"""One `orchestrate run`: executor, signals, progress, ledger, report."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import shortcut
from orchestrator.cli import console
from orchestrator.cli.leaving import NOTHING_LOST, SIGNALS, leave
from orchestrator.cli.probes import probe
from orchestrator.deciding import require_power
from orchestrator.errors import FailureBudgetError, InterruptedRunError, LedgerError, UnknownNameError
from orchestrator.ledger import Ledger
from orchestrator.planning import Catalogue, validate
from orchestrator.provenance import machine, n_gpus
from orchestrator.resources import device_for, require_precision
from orchestrator.study import Study
from orchestrator.trial import FailureKind

__all__ = ["NOTHING_LOST", "Request", "end_early", "executor_of", "report", "report_all", "run", "train"]

LEAVE_SECONDS = 12.0
"""After a signal: if no clean end has come by then (Ray's processes may have had the signal too), just leave."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options of `orchestrate run`, but for what changes the study."""

    results: Path
    out: Path | None = None
    """Where reports go; None: beside the ledger (a committed ledger is left as it is, see `analysis.index`)."""
    answers: Path | None = None
    """Where ANSWERS.md goes besides."""
    address: str = "local"
    plugins: tuple[str, ...] = ()
    device: str = "auto"
    bundles_per_gpu: int = 1
    max_concurrent: int = 0
    time_budget: float = 0.0
    budget_hours: float = 0.0
    stall: float = 0.0
    retry_failed: str = ""
    only_current: bool = False
    take_over: bool = False
    notebook: bool = True
    report: bool = True
    verbose: bool = False
    as_json: bool = False


def run(study: Study, request: Request) -> None:
    """Train what is missing, then report.

    Raises:
        InterruptedRunError: a signal or the time budget ended the run.
        FailureBudgetError: too many trials failed.
        RequestError: the request was wrong.
    """
    retry = _kinds(request.retry_failed)
    if not (request.only_current or retry):
        with Ledger(request.results) as ledger:
            n_settled = shortcut.n_settled(study, ledger, request.plugins)
        if n_settled is not None:
            if not request.as_json:
                console.nothing_to_do(study, n_settled)
            return _answer(study.key, request)
    catalogue = Catalogue(request.plugins)
    require_power(study, validate(study, catalogue))
    executor = executor_of(request)
    with Ledger(request.results, writable=True, take_over=request.take_over) as ledger:
        try:
            if study.key not in ledger.study_names():  # surely something to train: Ray starts while data are loaded
                executor.start()
            runner = train(study, request, ledger, executor, catalogue)
        finally:
            executor.close()
    if runner.stop_reason:
        end_early(runner.stop_reason)
    return _answer(study.key, request)


def report(name: str, request: Request) -> None:
    """Build the report of a study from the ledger alone; of a study under way, it is a look that is remembered."""
    _remember_looks(request.results, name)
    _answer(name, request)


def report_all(request: Request) -> None:
    """Build the report of every study of the ledger, the index page and ANSWERS.md."""
    from analysis import index

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
    from analysis import frame, peeks
    from orchestrator.ledger.studies import add_look
    from orchestrator.record import early_look

    if (results / frame.COMMITTED).is_file():
        return
    for study in [frame.load(results, name)] if name else frame.load_all(results):
        n_seeds = peeks.seeds_seen(study)
        look = early_look(study.record, n_seeds) if n_seeds else None
        if look is not None:
            try:
                add_look(results, study.name, look)
            except LedgerError as error:  # a folder that is only read can be reported on
                console.err.print(str(error), style="yellow", markup=False)


def _watch(request: Request) -> Callable[[str], None]:
    return (lambda _: None) if request.as_json else (lambda text: console.out.print(text, style="dim", markup=False))


def train(study: Study, request: Request, ledger: Ledger, executor: Any, catalogue: Catalogue) -> Any:
    """Train what a study misses, and return the runner; its `stop_reason` says if it ended early."""
    from orchestrator.runner import Runner, RunOptions

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
        runner = Runner(study, ledger, catalogue, options, watch.update)
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
    from orchestrator.samplers.journal import journal_of

    if runner.searches and runner.account.start_seconds:
        searches = {f"{phase.search.method} @ {phase.dataset}": phase.rounds for phase in runner.searches}
        write_durably(ledger.study_folder(runner.study.key) / "optuna.journal", journal_of(searches))


def _priced(study: Study, request: Request, ledger: Ledger, catalogue: Catalogue, device: str) -> dict[str, Any] | None:
    """Return the price of what is missing, as study.json keeps it; None where nothing is known."""
    from orchestrator.cli import overview
    from orchestrator.pricing import price

    workers = request.max_concurrent or (n_gpus() if device == "cuda" else int(machine()["cores"]))
    rows = ledger.trials()
    asked, known = (
        overview.demand(study, catalogue, ledger, rows),
        overview.knowledge([study], catalogue, ledger, rows, device),
    )
    found = price(asked.waves, known, workers, overview.start_seconds(ledger))
    return None if found.unknown else found.as_json()


def executor_of(request: Request) -> Any:
    """Return an executor that starts when it is needed."""
    if request.address == "inline":
        return _Inline(request)
    return _DeferredRay(request)


class _Inline:
    """The executor without Ray, with this process's devices."""

    def __init__(self, request: Request) -> None:
        from orchestrator.executors.inline import InlineExecutor

        executor = InlineExecutor()
        self.asked, self.start, self.run, self.close = request.device, executor.start, executor.run, executor.close

    def device(self) -> str:
        """Return the device of this run."""
        return device_for(self.asked, float(n_gpus()))

    def dashboard(self) -> str:
        """Return nothing: there is no Ray."""
        return ""


class _DeferredRay:
    """The Ray executor, imported and started only when there is something to train."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.executor: Any = None
        device_for(request.device, 1)  # a wrong word is told before anything starts

    def device(self) -> str:
        """Return the device of this run: on a cluster elsewhere, it must be asked what it offers."""
        asked = self.request.device
        if self.request.address == "local" or asked == "cpu":
            return device_for(asked, float(n_gpus()))
        executor = self.start()
        found = device_for(asked, executor.offers().get("GPU", 0.0))
        executor.gpus = 1 if found == "cuda" else 0  # before its first bundle: until then there are no workers
        return found

    def start(self) -> Any:
        """Begin to start Ray (in the background) and return the executor."""
        if self.executor is None:
            from orchestrator.executors.ray_tune import RayTuneExecutor

            self.executor = RayTuneExecutor(
                self.request.address,
                max_concurrent=self.request.max_concurrent or None,
                gpus=1 if self.request.address == "local" and self.device() == "cuda" else 0,
                bundles_per_gpu=self.request.bundles_per_gpu,
                verbose=self.request.verbose,
                stall_seconds=self.request.stall or None,
            )
            self.executor.start()
        return self.executor

    def dashboard(self) -> str:
        """Return where the cluster's dashboard is; empty: a Ray of our own has none."""
        return "" if self.request.address == "local" else str(self.start().dashboard())

    def run(self, source: Any) -> None:
        """Train until the source is finished, or stopping."""
        self.start().run(source)

    def close(self) -> None:
        """End Ray's processes, if there are any."""
        if self.executor is not None:
            self.executor.close()


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


def _answer(name: str, request: Request) -> None:
    if not request.report:
        return
    from analysis.report import build

    answer = build(request.results, name, notebook=request.notebook, out=request.out)
    if request.as_json:
        print(json.dumps(dataclasses.asdict(answer), default=str))
    else:
        console.answer(answer)
