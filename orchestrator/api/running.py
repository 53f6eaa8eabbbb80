"""Running a study from a notebook or a program: what it misses is trained, and every step is told."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.api.answer import Answer
from orchestrator.api.results import Results
from orchestrator.errors import InterruptedRunError, RequestError
from orchestrator.study import Study

if TYPE_CHECKING:
    from orchestrator.run.progress import Progress
    from orchestrator.run.runner import Runner

__all__ = ["Step", "run_study"]


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
                done=progress.done,
                total=progress.whole,
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
