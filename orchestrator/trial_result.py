"""What is known of a trial that will not be trained again in this run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orchestrator.trial import TrialState

__all__ = ["LookUp", "TrialResult"]


@dataclass(frozen=True)
class TrialResult:
    """The end of a trial, as searches, the stopping rule and the record of a study take it."""

    state: TrialState
    collapsed: bool
    metrics: Mapping[str, float]
    """Metric -> value of the last evaluation; what was not measured, or is NaN, is missing."""
    curve: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    """Epoch -> metrics; only of trials of a search that prunes."""
    stages: str = ""
    """What it builds on that was made once, as its row has it (`trial.stages_text`)."""
    failure_kind: str = ""
    """Of a failed trial."""


LookUp = Callable[[str], TrialResult | None]
"""trial_id -> what is known of it; None: it is not trained, or to be trained again."""
