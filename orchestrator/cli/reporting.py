"""Reports as commands: of one study, of all; and what a report takes long to begin with, made ready meanwhile."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.cli import answer_text, console
from orchestrator.cli.options import ReportOptions
from orchestrator.cli.output import say_json
from orchestrator.errors import LedgerError

if TYPE_CHECKING:
    from analysis.pages.kernel import WaitingKernel

__all__ = ["ReportAhead", "answer", "report", "report_all"]


class ReportAhead:
    """What a report takes long to begin with, made ready while trials are trained: its imports and a kernel.

    Args:
        notebook: whether a notebook will be executed.
        searches: whether the study has searches.
    """

    def __init__(self, *, notebook: bool, searches: bool = False) -> None:
        self._notebook, self._searches = notebook, searches
        self._kernel: WaitingKernel | None = None
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Begin, in the background; does nothing the second time, nor where no thread is to be had."""
        if self._thread is None:
            thread = threading.Thread(target=self._load, name="report", daemon=True)
            with contextlib.suppress(RuntimeError):  # the report itself will load what it needs
                thread.start()
                self._thread = thread

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
        with contextlib.suppress(Exception):  # whoever needs it meets it again, and says so
            if self._notebook:
                from analysis.pages.kernel import WaitingKernel

                self._kernel = WaitingKernel(searches=self._searches)
            from analysis.pages import report as pages

            pages.preload(searches=self._searches)


def report(name: str, options: ReportOptions) -> None:
    """Build the report of a study from the ledger alone; of a study under way, it is a look that is remembered."""
    _remember_looks(options.results, name)
    answer(name, options)


def report_all(options: ReportOptions) -> None:
    """Build the report of every study of the ledger, the index page and ANSWERS.md."""
    from analysis.pages import unchanged

    kept = unchanged.kept(options.results, options.out, notebook=options.notebook, words=options.answers)
    if kept is not None:
        if options.as_json:
            say_json(kept.as_json)
        else:
            answer_text.index_text(kept)
        return
    from analysis.pages import index

    _remember_looks(options.results)
    watch = _watch(options)
    found = index.build(options.results, options.out, notebook=options.notebook, words=options.answers, watch=watch)
    if options.as_json:
        say_json(dataclasses.asdict(found))
    else:
        answer_text.index_text(found)


def answer(name: str, options: ReportOptions, kernel: WaitingKernel | None = None) -> None:
    """Build a study's report and print its answer.

    Args:
        name: the study's key.
        options: where, and what.
        kernel: one that waits for the notebook; None: it is started when it is needed.
    """
    from analysis.pages.report import build

    found = build(options.results, name, notebook=options.notebook, out=options.out, kernel=kernel, png=options.png)
    if options.as_json:
        say_json(dataclasses.asdict(found))
    else:
        answer_text.answer(found, verbose=options.verbose, quiet=options.quiet)


def _watch(options: ReportOptions) -> Callable[[str], None]:
    if options.as_json or options.quiet:
        return lambda _: None
    return lambda text: console.out.print(text, style="dim", markup=False)


def _remember_looks(results: Path, name: str = "") -> None:
    """Write looks at studies under way down before they are taken: their verdicts, and those at the end, pay for them.

    Args:
        results: the results folder.
        name: a study; empty: all.
    """
    from analysis.data import study_view
    from analysis.verdicts import early_looks
    from orchestrator.ledger.studies import add_look
    from orchestrator.record.looks import early_look

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
