"""Members of ended bundles that are trained again alone: when, and what follows from a difference."""

from __future__ import annotations

from orchestrator.bundles.equivalence import EquivalenceGuard
from orchestrator.row_table import RowTable
from orchestrator.run.known_results import KnownResults
from orchestrator.run.queue import BundleQueue
from orchestrator.trial import Bundle, TrialOutcome, TrialState

__all__ = ["Checks"]


class Checks:
    """Queues checks and has them judged.

    Args:
        guard: chooses and compares.
        queue: takes the checks.
        results: of the run so far.
    """

    def __init__(self, guard: EquivalenceGuard, queue: BundleQueue, results: KnownResults) -> None:
        self._guard, self._queue, self._results = guard, queue, results

    def plan(self, bundle: Bundle, rows: RowTable) -> None:
        """Queue the check that is due of a bundle that has ended: one of its members, to be trained alone."""
        if len(bundle) < 2:
            return
        complete = set()
        for spec in bundle.specs:
            result = self._results.of_this_run(spec.trial_id)
            if result is not None and result.state is TrialState.COMPLETE:
                complete.add(spec.trial_id)
        check = self._guard.ended(bundle, complete, rows.of(complete))
        if check is not None:
            self._queue.first(check)

    def judge(self, check: Bundle, outcome: TrialOutcome, rows: RowTable) -> str:
        """Compare a check with its member's rows in the bundle; returns what differs in one line, or nothing."""
        differs = self._guard.judge(check, outcome, rows.of({outcome.spec.trial_id}))
        if differs:
            self._queue.split_unequal()
        return differs
