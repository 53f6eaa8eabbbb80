"""Outcomes of members: made durable before anybody is told, then counted, and tried again where their kind says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from orchestrator.ledger import Ledger
from orchestrator.plan.trials import TrialResult
from orchestrator.provenance import git_commit
from orchestrator.record.failure_log import row_error
from orchestrator.record.own_code import MethodCode
from orchestrator.retry_policy import POLICIES, given_up
from orchestrator.run.known_results import KnownResults, curves_of
from orchestrator.run.progress import UNANSWERABLE, Progress
from orchestrator.trial import Bundle, FailureKind, SeedBlock, TrialOutcome, TrialSpec, TrialState

__all__ = ["Outcomes"]


class Outcomes:
    """Takes outcomes of a run.

    Args:
        ledger: open for writing.
        codes: method -> what its rows say of its code.
        results: takes every result that is final.
        progress: counts them.
        failure_budget: share of the study's trials that may fail.
        asked: of a trial, what it must have measured if it is complete.
        with_curves: whether a search that prunes wants the curves of its trials.
    """

    def __init__(
        self,
        ledger: Ledger,
        codes: Mapping[str, MethodCode],
        results: KnownResults,
        progress: Progress,
        failure_budget: float,
        asked: Callable[[TrialSpec], Sequence[str]],
        *,
        with_curves: bool,
    ) -> None:
        self._ledger, self._codes, self._results, self._progress = ledger, codes, results, progress
        self._failure_budget, self._asked, self._with_curves = failure_budget, asked, with_curves
        self.unanswerable = ""
        """Why the study cannot be answered: a metric it goes by is not measured; empty: it can, as far as is known."""

    def take(self, outcomes: Sequence[TrialOutcome], epochs: pa.Table | None) -> list[Bundle]:
        """Append outcomes to the ledger and count those that are final.

        Args:
            outcomes: of members that ended; what a restarted worker repeats is left out.
            epochs: their evaluations.

        Returns:
            The bundles, of one trial each, in which failed members are tried again.
        """
        stamped = []
        for outcome in outcomes:
            if outcome.attempt >= self._ledger.next_attempt(outcome.spec.trial_id):
                stamped.append(self._stamped(outcome))
        self._ledger.append(stamped, epochs)  # durable before anybody is told
        again = []
        for outcome in stamped:
            if self._is_tried_again(outcome):
                again.append(Bundle((outcome.spec,), (outcome.attempt + 1,)))
            else:
                self._results.add(outcome.spec.trial_id, self._result(outcome))
                self._progress.ended(outcome)
                self._require_metric(outcome)
        return again

    def give_up(self, bundle: Bundle, members: Sequence[TrialSpec], kind: FailureKind, error: str) -> list[Bundle]:
        """Append the failure of members whose process died for the last time; returns what `take` does."""
        dead = []
        for spec in members:
            dead.append(given_up(bundle, spec, self._ledger.next_attempt(spec.trial_id), kind, error))
        return self.take(dead, None)

    @property
    def overspent(self) -> str:
        """Why the run has to stop for its failures; empty: it has not."""
        failed, total = self._progress.n_failed, self._progress.total
        if failed <= self._failure_budget * max(total, 1):
            return ""
        return f"failure budget spent: {failed} of {total} trials failed, allowed are {self._failure_budget:.0%}"

    def _require_metric(self, outcome: TrialOutcome) -> None:
        """Note a complete trial that was not measured as the study asks."""
        if outcome.state is not TrialState.COMPLETE:
            return
        for metric in self._asked(outcome.spec):
            if metric not in outcome.metrics:
                has = ", ".join(sorted(outcome.metrics)) or "none"
                self.unanswerable = (
                    f"{UNANSWERABLE}: trials of {outcome.spec.method} have no metric {metric!r}; they have: {has}"
                )

    def _stamped(self, outcome: TrialOutcome) -> TrialOutcome:
        """Return an outcome with where its numbers come from, and an error that fits into a row."""
        code = self._codes[outcome.spec.method]
        own = {"code_digest": code.digest, "git_commit": git_commit(), "versions": code.versions}
        return replace(outcome, error=row_error(outcome.error), facts={**own, **outcome.facts})

    def _result(self, outcome: TrialOutcome) -> TrialResult:
        trial_id = outcome.spec.trial_id
        searched = self._with_curves and outcome.spec.seed_block is SeedBlock.SEARCH
        return TrialResult(
            state=outcome.state,
            collapsed=outcome.collapsed,
            metrics=outcome.metrics,
            curve=curves_of(self._ledger, [trial_id]).get(trial_id, {}) if searched else {},
            stages=outcome.facts.get("stages") or "",
            failure_kind=str(outcome.failure_kind or ""),
        )

    def _is_tried_again(self, outcome: TrialOutcome) -> bool:
        kind = outcome.failure_kind
        if outcome.state is not TrialState.FAILED or kind is None or kind is FailureKind.OUT_OF_MEMORY:
            return False
        return outcome.attempt < POLICIES[kind].attempts
