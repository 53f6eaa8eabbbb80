"""What becomes of a member: the kind of a failure, and outcomes as JSON for checkpoints."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from orchestrator.errors import DataError, RequestError
from orchestrator.trial import Bundle, FailureKind, TrialOutcome, TrialState
from trainables.adapters.ended import EndedError
from trainables.training.limits import TimeLimitError

__all__ = ["as_json", "classified", "from_json", "told"]

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
_NUMERIC = (ArithmeticError, np.linalg.LinAlgError, torch.linalg.LinAlgError)  # type: ignore[attr-defined]


def as_json(outcome: TrialOutcome) -> dict[str, Any]:
    """Return what JSON can hold of an outcome: not its spec, which follows from its place in the bundle."""
    return {
        "state": str(outcome.state),
        "failure_kind": None if outcome.failure_kind is None else str(outcome.failure_kind),
        "error": outcome.error,
        "collapsed": outcome.collapsed,
        "metrics": dict(outcome.metrics),
        "cost": dict(outcome.cost),
        "facts": dict(outcome.facts),
    }


def from_json(content: Mapping[str, Any], bundle: Bundle, member: int) -> TrialOutcome:
    """Return the outcome that `as_json` wrote, under the attempt number that the bundle has now."""
    kind = content["failure_kind"]
    return TrialOutcome(
        spec=bundle.specs[member],
        attempt=bundle.attempt(member),
        state=TrialState(content["state"]),
        failure_kind=None if kind is None else FailureKind(kind),
        **{name: content[name] for name in ("error", "collapsed", "metrics", "cost", "facts")},
    )


def told(error: BaseException) -> str:
    """Return what a row says of an exception: its traceback, or what a program of somebody else's said."""
    return error.text if isinstance(error, EndedError) else "".join(traceback.format_exception(error))


def classified(error: BaseException) -> FailureKind:
    """Return the failure kind of what a method raised; what nothing else explains is a bug."""
    if isinstance(error, EndedError):
        return error.kind
    if isinstance(error, TimeLimitError):
        return FailureKind.TIME_LIMIT
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return FailureKind.OUT_OF_MEMORY
    if isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _OUT_OF_MEMORY):
        return FailureKind.OUT_OF_MEMORY
    if isinstance(error, _NUMERIC):
        return FailureKind.DIVERGED
    if isinstance(error, DataError | RequestError):
        return FailureKind.DATA  # also a configuration that this data cannot carry
    if isinstance(error, OSError):
        return FailureKind.INFRASTRUCTURE
    return FailureKind.BUG
