"""What follows from a failure, kind by kind: tried again or not, how often, and with what change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.trial import Bundle, FailureKind, TrialOutcome, TrialSpec, TrialState

__all__ = ["NEVER_TRIED_AGAIN", "POLICIES", "Policy", "given_up"]


@dataclass(frozen=True)
class Policy:
    """How one failure kind is treated within a run; a later run leaves final ones alone but for `--retry-failed`."""

    attempts: int
    """Attempts in all; 1: never tried again."""
    halve: bool
    """Whether the next attempt trains half the bundle."""
    why: str


POLICIES: Mapping[FailureKind, Policy] = {
    FailureKind.OUT_OF_MEMORY: Policy(8, True, "half the bundle needs half the memory; a bundle of one fails for good"),
    FailureKind.DIVERGED: Policy(1, False, "the same seed diverges again"),
    FailureKind.DATA: Policy(1, False, "the same data are as wrong the next time"),
    FailureKind.INFRASTRUCTURE: Policy(3, False, "a worker or node died; another one may live"),
    FailureKind.PREEMPTION: Policy(10, False, "the node was wanted back; nothing is wrong with the trial"),
    FailureKind.TIMEOUT: Policy(2, True, "no progress; a smaller bundle tells a slow trial from a hanging one"),
    FailureKind.TIME_LIMIT: Policy(1, False, "the same machine is as slow the next time; --retry-failed tries again"),
    FailureKind.MEMORY_LIMIT: Policy(1, False, "it was alone already, and needs as much the next time"),
    FailureKind.BUG: Policy(1, False, "the same code raises again"),
}

NEVER_TRIED_AGAIN = frozenset(kind for kind, policy in POLICIES.items() if policy.attempts == 1)
"""Failures that only repeat themselves wherever the trial is trained."""


def given_up(bundle: Bundle, spec: TrialSpec, attempt: int, kind: FailureKind, error: str) -> TrialOutcome:
    """Return the outcome of a member whose process died for the last time."""
    record = {"bundle_id": bundle.bundle_id, "bundle_size": len(bundle)}
    return TrialOutcome(
        spec=spec, attempt=attempt, state=TrialState.FAILED, failure_kind=kind, error=error, facts=record
    )
