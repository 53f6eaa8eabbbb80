"""Reports of ended bundles that wait a moment to be made durable together: of a thousand workers one comes at a time.

Each append to the ledger is two files and their folders made durable, whatever it holds. Nobody is told of a trial
before it is durable; a driver that is killed meanwhile has the last half second trained again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pyarrow as pa

from orchestrator.row_table import RowTable
from orchestrator.trial import Bundle, Report, TrialOutcome, TrialState

__all__ = ["Gathering", "together"]

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


def together(
    gathered: Sequence[tuple[Bundle, Report]], rows_of: Callable[[Bundle], RowTable]
) -> tuple[list[TrialOutcome], pa.Table | None]:
    """Return the outcomes of several reports and their evaluations in one table; None: there are none.

    Args:
        gathered: reports that have waited, none of whose rows has been added.
        rows_of: bundle -> its evaluations, which take up those of the report.
    """
    outcomes: list[TrialOutcome] = []
    tables: list[pa.Table] = []
    for bundle, report in gathered:
        rows = rows_of(bundle)
        rows.add(report.rows)
        outcomes += report.outcomes
        own = rows.of(report.trial_ids)
        if own is not None:
            tables.append(own)
    return outcomes, pa.concat_tables(tables, promote_options="default") if tables else None
