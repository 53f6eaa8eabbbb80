"""What a run keeps of its trials: which members' files come with their outcomes, written before their rows."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.ledger import Ledger
from orchestrator.plan.keeping import kept_trials
from orchestrator.plan.trials import PlannedTrial
from orchestrator.run.known_results import KnownResults
from orchestrator.trial import Bundle, Report

__all__ = ["Keeping"]


class Keeping:
    """Keeps files of trials.

    Args:
        ledger: open for writing.
        keep: of which trials (`Study.keep`).
        results: what need not be trained; a hit whose files are wanted and not there is no hit.
    """

    def __init__(self, ledger: Ledger, keep: str, results: KnownResults) -> None:
        self._ledger, self._keep, self._results = ledger, keep, results
        self._wanted: set[str] = set()

    def ask(self, trials: Iterable[PlannedTrial]) -> None:
        """Take trials that the study asks for now; those that are known without their files are forgotten."""
        wanted = kept_trials(self._keep, trials) - self._wanted
        self._wanted |= wanted
        for trial_id in self._ledger.kept.missing_of(wanted):
            self._results.forget_complete(trial_id)

    def members(self, bundle: Bundle) -> tuple[int, ...]:
        """Return the members of a bundle whose files are wanted."""
        return tuple(member for member, spec in enumerate(bundle.specs) if spec.trial_id in self._wanted)

    def take(self, report: Report) -> None:
        """Write the files that came with a report; durable on return."""
        for trial_id, content in report.kept.items():
            self._ledger.kept.put(trial_id, content)
