"""The Python interface: run a study from a notebook, read a results folder as data frames, sentences and figures.

Everything here is also a name of `orchestrator` itself, loaded when it is asked for:

    import orchestrator as dco

    answer = dco.run_study("quickstart", settings=("dataset=digits",))
    answer.sentences, answer.contrasts(), answer.figures()["effects"]
"""

from __future__ import annotations

import contextlib
import html
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.errors import InterruptedRunError, RequestError
from orchestrator.study import Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from analysis.data.study_view import StudyView
    from analysis.verdicts.verdicts import Verdict
    from orchestrator.run.progress import Progress
    from orchestrator.run.runner import Runner

__all__ = ["Answer", "Results", "Step", "load_results", "run_study"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where a run stands."""

    phase: str
    """`search`, or `confirm`."""
    done: int
    """Trials that ended in this run, or were in the ledger before."""
    total: int
    """Trials that the study asks for, as far as that is known."""
    failed: int
    collapsed: int

    def __str__(self) -> str:
        return f"{self.phase}: {self.done} of {self.total} trials, {self.failed} failed, {self.collapsed} collapsed"


class Answer:
    """What a results folder says of one study; nothing is trained and no number is typed in.

    Args:
        view: the study's plan joined with its rows.
    """

    def __init__(self, view: StudyView) -> None:
        self._view = view

    @property
    def name(self) -> str:
        """The study's name."""
        return self._view.name

    @property
    def question(self) -> str:
        """What it asks."""
        return str(self.record["question"])

    @property
    def record(self) -> Mapping[str, Any]:
        """Its study.json; `orchestrator.study` lists the fields."""
        return self._view.record

    @property
    def heading(self) -> str:
        """What all sentences have in common: data, tier, seeds, what is promised, what cannot be known."""
        from analysis.verdicts.verdicts import heading

        return heading(self._view)

    @property
    def sentences(self) -> list[str]:
        """One verdict a contrast, in the order of `contrasts`."""
        return [one.sentence for one in self._verdicts]

    def trials(self) -> pd.DataFrame:
        """Return one row per planned trial: the plan's columns, knobs, metrics, state, cost; missing ones too."""
        return self._view.rows.copy()

    def epochs(self) -> pd.DataFrame:
        """Return one row per evaluation of the complete trials, those of searches too."""
        from analysis.data import study_view

        return study_view.epochs_of(self._view, self._view.rows)

    def arms(self) -> pd.DataFrame:
        """Return one row per arm: planned, complete, collapsed, failed, pruned, missing, and the mean of the metric."""
        from analysis.data import study_view

        table = study_view.arm_table(self._view)
        values = study_view.arm_seed_values(self._view, self._view.metric).by_seed()
        means = {arm: sum(own.values()) / len(own) if own else float("nan") for arm, own in values.items()}
        return table.assign(**{self._view.metric: [means.get(str(arm), float("nan")) for arm in table.index]})

    def contrasts(self) -> pd.DataFrame:
        """Return one row per contrast, as it was judged.

        Columns: contrast, dataset, words (the verdict in short), estimate (mean paired difference where both work, in
        the metric's units), low, high (its interval), p, p_corrected, n_pairs, works (how often), sentence.
        """
        import pandas as pd

        lines = []
        for one in self._verdicts:
            judgement = one.judgement
            lines.append(
                {
                    "contrast": one.contrast.name,
                    "dataset": one.dataset,
                    "words": one.words,
                    "estimate": judgement.estimate,
                    "low": judgement.interval.low,
                    "high": judgement.interval.high,
                    "p": judgement.p,
                    "p_corrected": judgement.p_corrected,
                    "n_pairs": judgement.n_pairs,
                    "works": one.works,
                    "sentence": one.sentence,
                }
            )
        return pd.DataFrame(lines)

    def searches(self) -> list[pd.DataFrame]:
        """Return one table a search, a row a configuration: knobs, objective with interval, state, which was chosen."""
        from analysis.tables.search_table import search_table

        return [search_table(self._view, search) for search in self.record.get("searches", ())]

    def trade_offs(self) -> list[pd.DataFrame]:
        """Return one table a search with several objectives: means with intervals, and which are on the front."""
        from analysis.sensitivity.trade_offs import trade_offs

        several = [search for search in self.record.get("searches", ()) if len(search["rules"]) > 1]
        return [trade_offs(self._view, search) for search in several]

    def figures(self) -> dict[str, Figure]:
        """Return the figures of the report by their names; a notebook shows one that a cell ends in."""
        from analysis.pages.parts import parts_of
        from analysis.pages.study_page import drawings_of

        drawn, _ = drawings_of(parts_of(self._view))
        return {one.key: one.figure for one in drawn}

    def report(self, out: str | Path = "answers") -> Path:
        """Write report.html with figures and tables into a folder and return its path."""
        from analysis.pages import report

        report.build_view(self._view, Path(out), notebook=False)
        return Path(out) / "studies" / self.name / "report.html"

    @cached_property
    def _verdicts(self) -> list[Verdict]:
        from analysis.verdicts.verdicts import verdicts

        return verdicts(self._view)

    def __repr__(self) -> str:
        return (
            f"Answer({self.name!r}: {len(self._view.rows)} trials, {len(self.record.get('contrasts', ()))} contrasts)"
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the question and the verdicts."""
        said = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.sentences)
        return f"<p><b>{html.escape(self.question)}</b><br>{html.escape(self.heading)}</p><ul>{said}</ul>"


class Results:
    """A results folder, read only.

    Args:
        folder: where it is.

    Raises:
        RequestError: there is no such folder.
    """

    def __init__(self, folder: str | Path = "results") -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise RequestError(f"there is no results folder {str(folder)!r}")

    @property
    def studies(self) -> list[str]:
        """Names of the studies in it."""
        from orchestrator.ledger import Ledger

        return list(Ledger(self.folder).studies.names())

    def study(self, name: str) -> Answer:
        """Return what it says of one study.

        Raises:
            UnknownNameError: there is no such study in it.
        """
        from analysis.data import study_view

        return Answer(study_view.load(self.folder, name))

    def trials(self) -> pd.DataFrame:
        """Return one row per trial, whichever study asked for it: config, knobs, metrics, state, cost."""
        from orchestrator.ledger import Ledger

        return Ledger(self.folder).trials()

    def epochs(self, trial_ids: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row per evaluation, of these trials or of all."""
        from orchestrator.ledger import Ledger

        ledger = Ledger(self.folder)
        wanted = list(ledger.trials()["trial_id"]) if trial_ids is None else list(trial_ids)
        return ledger.epochs(wanted)

    def __repr__(self) -> str:
        return f"Results({str(self.folder)!r}: {', '.join(self.studies) or 'no study'})"


def load_results(folder: str | Path = "results") -> Results:
    """Return a results folder to read.

    Raises:
        RequestError: there is no such folder.
    """
    return Results(folder)


def run_study(
    study: str | Path | Study,
    results: str | Path = "results",
    *,
    settings: Sequence[str] = (),
    plugins: Sequence[str] = (),
    address: str = "inline",
    name: str = "",
    progress: Callable[[Step], None] | None = None,
) -> Answer:
    """Train what a study misses and return its answer; running it again trains nothing twice.

    Args:
        study: a name, the path of a study's file, or a `Study` made in the notebook, which needs a `name`.
        results: the results folder; it is made.
        settings: NAME=VALUE, as of `--set`.
        plugins: folders with methods, datasets and metrics of your own.
        address: `inline` (this process), `local` (a private Ray instance), `auto` or HOST:PORT (a running cluster).
        name: of a `Study` that was made in the notebook.
        progress: called with every step; None: one line that is written over, in a notebook too.

    Raises:
        RequestError: the study cannot be run or answered; one line that says why.
        InterruptedRunError: the run ended early (Ctrl-C); nothing is lost.
    """
    from orchestrator.executors import executor_of
    from orchestrator.executors.base import ExecutorOptions
    from orchestrator.ledger import Ledger
    from orchestrator.plan.catalogue import Catalogue
    from orchestrator.run.progress import RunOptions
    from orchestrator.run.train import train

    asked = _asked(study, tuple(settings), tuple(plugins), name)
    plan = _plan(asked, Catalogue(tuple(plugins)))
    executor = executor_of(ExecutorOptions(address=address), plugins)
    with contextlib.closing(executor), Ledger(Path(results), writable=True) as ledger:
        reason = train(plan, ledger, executor, RunOptions(plugins=tuple(plugins)), _Watch(progress or _line()))
    if reason:
        raise InterruptedRunError(f"{reason}; nothing is lost: run it again to go on")
    return Results(results).study(asked.key)


def _asked(study: str | Path | Study, settings: tuple[str, ...], plugins: tuple[str, ...], name: str) -> Study:
    from orchestrator import discovery
    from orchestrator.study import check, load
    from orchestrator.study.settings import with_settings

    if isinstance(study, Study):
        discovery.use_plugins(plugins)
        found = replace(study, name=name or study.name)
        if not found.name:
            raise RequestError("a Study that was made here needs a name: run_study(study, name='mine')")
        discovery.use_metrics(found.declared_metrics)
    else:
        found = load(str(study), plugins)
    found = with_settings(found, settings)
    check(found)
    return found


def _plan(study: Study, catalogue: Any) -> Any:
    from orchestrator.plan.plan import plan_of
    from orchestrator.plan.rehearsal import check_methods
    from orchestrator.search.rehearsal import check_searches

    plan = plan_of(study, catalogue)
    plan.require_power()
    check_searches(plan)
    check_methods(plan.configurations, study.metric, catalogue, study.called)
    return plan


class _Watch:
    """The observer of a run in a notebook or a program: steps go to a function."""

    def __init__(self, tell: Callable[[Step], None]) -> None:
        self._tell = tell

    def planned(self, progress: Progress, finished: bool) -> None:
        """Tell what is planned."""
        self.heard(progress)

    def heard(self, progress: Progress) -> None:
        """Tell where the run stands."""
        self._tell(
            Step(
                phase=progress.phase,
                done=progress.hits + progress.trained,
                total=progress.total,
                failed=progress.n_failed,
                collapsed=progress.collapsed,
            )
        )

    def dashboard(self, address: str) -> None:
        """Say nothing: a notebook has no room for it."""

    @contextlib.contextmanager
    def stoppable(self, runner: Runner) -> Iterator[None]:
        """Let Ctrl-C through: what is durable stays."""
        yield


def _line() -> Callable[[Step], None]:
    """Return what shows steps in one place: a notebook's cell, or a line of a terminal."""
    shell = sys.modules.get("IPython")
    if shell is not None and shell.get_ipython() is not None:
        from IPython.display import display

        handle = display({"text/plain": "planning"}, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        return lambda step: handle.update({"text/plain": str(step)}, raw=True)

    def write(step: Step) -> None:
        sys.stderr.write(f"\r{step}" + "\n" * (step.done >= step.total > 0))
        sys.stderr.flush()

    return write
