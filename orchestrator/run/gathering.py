"""Reports of ended bundles that wait a moment to be made durable together: of a thousand workers one comes at a time.

Each append to the ledger is two files and their folders made durable, whatever it holds. Nobody is told of a trial
before it is durable; a driver that is killed meanwhile has the last half second trained again.
"""

from __future__ import annotations

import time

from orchestrator.trial import Bundle, Report, TrialState

__all__ = ["Gathering"]

MANY_OPEN = 64
"""With fewer bundles under way, appending is not what workers wait for, and each report is taken at once."""

MOST_REPORTS, MOST_SECONDS = 32, 0.5

clock = time.monotonic
"""A simulation has one of its own."""


class Gathering:
    """The reports that wait; the runner asks when to take them."""

    def __init__(self) -> None:
        self._reports: list[tuple[Bundle, Report]] = []
        self._since = 0.0

    def __len__(self) -> int:
        """Return how many reports wait."""
        return len(self._reports)

    def waits(self, bundle: Bundle, report: Report, n_open: int) -> bool:
        """Take up a report if it can wait; return whether it does.

        Args:
            bundle: whose it is.
            report: the last of its bundle, all of whose members are complete, if it is to wait.
            n_open: how many bundles are under way.
        """
        plain = report.finished and not (report.restarted or report.out_of_memory or report.note)
        if n_open < MANY_OPEN or bundle.prunable or not plain or not report.outcomes:
            return False
        if any(outcome.state is not TrialState.COMPLETE for outcome in report.outcomes):
            return False
        if not self._reports:
            self._since = clock()
        self._reports.append((bundle, report))
        return True

    @property
    def due(self) -> bool:
        """Whether it is time to take them."""
        return bool(self._reports) and (len(self) >= MOST_REPORTS or clock() >= self._since + MOST_SECONDS)

    def take(self) -> list[tuple[Bundle, Report]]:
        """Return the reports in the order of their coming; none waits any more."""
        taken, self._reports = self._reports, []
        return taken
