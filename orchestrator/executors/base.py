"""The seam between the runner and the place where bundles are trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.trial import Bundle, BundleTask, FailureKind, Report, TrialSpec

__all__ = ["Executor", "ExecutorOptions", "Source"]


class Source(Protocol):
    """What an executor pulls bundles from and reports to; the runner implements it.

    All calls come from the driver's one thread, in any order between bundles. An executor never retries by itself:
    a bundle that was lost is handed out again by the source, if its failure kind says so.
    """

    def next_task(self) -> BundleTask | None:
        """Return the next bundle to train, or None when there is none now (see `finished`)."""

    @property
    def finished(self) -> bool:
        """Whether no bundle will come any more, whatever happens to those under way (also after a stop)."""

    @property
    def stopping(self) -> bool:
        """Whether bundles under way shall end at their next evaluation, with a checkpoint (a signal, a time budget)."""

    def report(self, bundle: Bundle, report: Report) -> None:
        """Take what a worker says. After a report with `finished` the bundle is closed."""

    def prepare(self) -> None:
        """Do a part of what the next `next_task` would have to do; an executor may call it while no worker waits."""

    def decide(self, bundle: Bundle) -> Sequence[int]:
        """Return the member indices of a prunable bundle that shall stop now, judged on the rows reported so far."""

    def lost(self, bundle: Bundle, kind: FailureKind, error: str, log: str = "") -> None:
        """Take the news that a bundle's process or node died (or timed out) before its last report.

        `log` is the end of what the process printed, where it can be had.
        """

    def interrupted(self, bundle: Bundle) -> None:
        """Take the news that a bundle ended early, on `stopping`; its checkpoint, if any, stays."""


@dataclass(frozen=True, kw_only=True)
class ExecutorOptions:
    """Where bundles are trained, and how many at a time; nothing here changes what a trial is."""

    address: str = "local"
    """`inline` (this process), `local` (a private Ray instance), `auto` or HOST:PORT (a running Ray cluster), or the
    name of another executor, with what it needs behind a colon: NAME:REST."""
    device: str = "auto"
    """auto (GPUs where there are any), cpu or cuda."""
    bundles_per_gpu: int = 1
    """Of programs that cannot fuse, how many bundles share a card."""
    max_concurrent: int = 0
    """Bundles at a time; 0: one for each core or GPU."""
    stall_seconds: float = 0.0
    """A bundle without news for so long is lost; 0: never."""
    verbose: bool = False
    """Whether messages of the cluster and of the workers go to the terminal."""


class Executor(Protocol):
    """Trains the bundles of a source somewhere. `run` returns when the source is finished and nothing is under way.

    The file of an executor names its class in `EXECUTOR`; it is made with `ExecutorOptions` by `of`.
    """

    @classmethod
    def of(cls, options: ExecutorOptions) -> Executor:
        """Return an executor that starts when it is needed.

        Raises:
            RequestError: an option that it does not understand.
        """

    def device(self) -> str:
        """Return the kind of device that bundles train on, `cpu` or `cuda`; asks the cluster if it must.

        Raises:
            RequestError: GPUs were asked for, and there are none.
        """

    def offers(self) -> Mapping[str, float]:
        """Return what there is to train on, by resource (`CPU`, `GPU`)."""

    def dashboard(self) -> str:
        """Return the address of a page that shows the cluster; empty: there is none."""

    def anticipate(self) -> None:
        """Take the news that there will be work if nothing is refused: begin what can be dropped at once; optional."""

    def run_apart(self, program: str, argument: str) -> None:
        """Run a program in a process that imports what training needs, and wait for its end; optional.

        For what this process would have to import PyTorch for, which it has no other use for. An executor that trains
        in this process does nothing. Whatever goes wrong in the program goes unheard.

        Args:
            program: Python.
            argument: its only one.
        """

    def expect(self, specs: Iterable[TrialSpec], plugins: tuple[str, ...] = ()) -> None:
        """Take trials of the kinds that will come: what they need may be made ready; optional."""

    def start(self) -> None:
        """Begin to make ready, in the background; optional, and safe to call twice."""

    def run(self, source: Source) -> None:
        """Train until the source is finished, or stopping."""

    def end(self) -> None:
        """Begin to end the processes that this executor started, in the background: nothing runs after it."""

    def close(self) -> None:
        """End every process that this executor started; safe to call twice."""
