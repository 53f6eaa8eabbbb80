"""An outcome survives a checkpoint, and what a method raised has a kind."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from orchestrator.errors import DataError, RequestError
from orchestrator.trial import Bundle, FailureKind, TrialOutcome, TrialSpec, TrialState
from trainables.training.failure_kinds import as_json, classified, from_json


def spec(seed: int) -> TrialSpec:
    return TrialSpec(method="m", method_version=1, config={}, dataset="d", dataset_digest="x", seed=seed)


@pytest.mark.parametrize("kind", [None, FailureKind.DIVERGED])
def test_an_outcome_comes_back_from_json_under_the_attempt_of_now(kind: FailureKind | None) -> None:
    outcome = TrialOutcome(
        spec=spec(1),
        attempt=1,
        state=TrialState.COMPLETE if kind is None else TrialState.FAILED,
        failure_kind=kind,
        error="why",
        collapsed=True,
        metrics={"nmi": 0.5},
        cost={"seconds": 1.0},
        facts={"device": "cpu", "threads": 1},
    )
    bundle = Bundle((spec(0), spec(1)), attempts=(1, 3))
    found = from_json(json.loads(json.dumps(as_json(outcome))), bundle, 1)
    assert found.attempt == 3 and found.spec is bundle.specs[1] and found.failure_kind is kind
    names = ("state", "error", "collapsed", "metrics", "cost", "facts")
    assert [getattr(found, name) for name in names] == [getattr(outcome, name) for name in names]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "out_of_memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), "out_of_memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "out_of_memory"),
        (RuntimeError("shapes cannot be multiplied"), "bug"),
        (ZeroDivisionError(), "diverged"),
        (FloatingPointError(), "diverged"),
        (np.linalg.LinAlgError("singular"), "diverged"),
        (DataError("no such file"), "data"),
        (RequestError("10 clusters of 3 points"), "data"),
        (ConnectionError(), "infrastructure"),
        (KeyError("x"), "bug"),
    ],
)
def test_what_a_method_raised_has_a_kind(error: Exception, kind: str) -> None:
    assert str(classified(error)) == kind
