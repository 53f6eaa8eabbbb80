"""What becomes of a member after an evaluation: it goes on, is complete, has diverged, or is over its time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan

from orchestrator.plateau import StopRule
from orchestrator.trial import FailureKind, TrialState

__all__ = ["Fate", "at_plateau", "complete", "diverged", "overdue"]

Row = Mapping[str, float]

LOSSES = ("metric.loss", "diagnostic.loss")
"""What has diverged if it is no number, at whichever evaluation."""


@dataclass(frozen=True)
class Fate:
    """How a member ends."""

    state: TrialState
    kind: FailureKind | None = None
    error: str = ""


complete = Fate(TrialState.COMPLETE)


def diverged(row: Row, epoch: int, needed: Collection[str], is_due: Callable[[str], bool]) -> Fate | None:
    """Return the fate of a member whose loss, or a metric that it is wanted for, is no number any more; else None.

    Other numbers may be undefined, and a metric may have to wait for the last epoch to be one.

    Args:
        row: its evaluation.
        epoch: after which it was made.
        needed: metrics that it is wanted for.
        is_due: whether one of them has to be a number here: it was one before, or training ends.
    """
    for name, value in row.items():
        metric = name.removeprefix("metric.")
        if not isfinite(value) and (name in LOSSES or (metric in needed and is_due(metric))):
            return Fate(TrialState.FAILED, FailureKind.DIVERGED, f"{name} is {value} after epoch {epoch}")
    return None


def overdue(seconds: float, limit: float | None, epoch: int) -> Fate | None:
    """Return the fate of a member that has taken longer than its limit; else None."""
    if limit is None or seconds <= limit:
        return None
    error = f"{seconds:.4g} s after epoch {epoch}; the trials' limit is {limit:.4g} s"
    return Fate(TrialState.FAILED, FailureKind.TIME_LIMIT, error)


def at_plateau(written: str, curve: Sequence[float], row: Row) -> bool:
    """Return whether the rule of a trial says that it ends here.

    Args:
        written: the rule; empty: there is none.
        curve: of its metric, from the first epoch to the one before this evaluation.
        row: this evaluation.
    """
    if not written:
        return False
    rule = StopRule.read(written)
    return rule.reached([*curve, row.get(f"metric.{rule.plateau.metric}", nan)])
