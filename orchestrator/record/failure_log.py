"""What a run writes down of a failure besides its row: the whole traceback, and what the worker printed."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.ledger import Ledger
from orchestrator.ledger.logs import bounded
from orchestrator.trial import Bundle, FailureKind, TrialOutcome, TrialState

__all__ = ["keep_death", "keep_failures", "row_error"]

MOST_IN_A_ROW = 16 * 1024
"""Characters of an error that a row takes: a sweep may fail a thousand times over."""


def row_error(error: str) -> str:
    """Return an error as the row has it."""
    return bounded(error, MOST_IN_A_ROW)


def keep_failures(ledger: Ledger, bundle: Bundle, outcomes: Sequence[TrialOutcome], log: str) -> None:
    """Write down failed members of a bundle, if there is more to say than their rows do."""
    failed = [outcome for outcome in outcomes if outcome.state is TrialState.FAILED and _is_news(ledger, outcome)]
    errors: dict[str, None] = {}  # in order; of one exception, once
    kinds: set[str] = set()
    members = []
    for outcome in failed:
        errors[outcome.error.rstrip()] = None
        kinds.add(str(outcome.failure_kind))
        members.append(outcome.spec.trial_id)
    if failed and (log or max(map(len, errors)) > MOST_IN_A_ROW):
        what = f"failed: {', '.join(sorted(kinds))}"
        ledger.logs.add(bundle.bundle_id, what, members, _joined([*errors, _printed(log)]))


def keep_death(ledger: Ledger, bundle: Bundle, kind: FailureKind, error: str, log: str) -> None:
    """Write down the death of a bundle's process: if it is trained again, no row tells of it."""
    what = f"its process was lost: {kind}"
    ledger.logs.add(bundle.bundle_id, what, bundle.trial_ids, _joined([error, _printed(log)]))


def _is_news(ledger: Ledger, outcome: TrialOutcome) -> bool:
    return outcome.attempt >= ledger.next_attempt(outcome.spec.trial_id)  # a restart repeats some


def _printed(log: str) -> str:
    return f"--- the worker's output, its end:\n{log.strip()}" if log.strip() else ""


def _joined(parts: Sequence[str]) -> str:
    return "\n".join(part for part in parts if part)
