"""The seam between the runner and the place where bundles are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from orchestrator.trial import Bundle, BundleTask, FailureKind, Report

__all__ = ["Executor", "Source"]


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


class Executor(Protocol):
    """Trains the bundles of a source somewhere. `run` returns when the source is finished and nothing is under way."""

    def start(self) -> None:
        """Begin to make ready, in the background; optional, and safe to call twice."""

    def run(self, source: Source) -> None:
        """Train until the source is finished, or stopping."""

    def close(self) -> None:
        """End every process that this executor started; safe to call twice."""
