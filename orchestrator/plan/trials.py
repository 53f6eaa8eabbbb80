"""Trials as a plan has them: why the study asks for one, and what is known of one that is not to be trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orchestrator.trial import TrialSpec, TrialState

__all__ = ["LookUp", "PlannedTrial", "TrialResult"]


@dataclass(frozen=True, kw_only=True)
class PlannedTrial:
    """A trial and why the study asks for it: one row of plan.parquet."""

    spec: TrialSpec
    arm: str
    role: str
    phase: str
    factor: str = ""
    level: str = ""
    configuration: int = -1

    def row(self) -> dict[str, object]:
        """Return the row of plan.parquet."""
        return {
            "trial_id": self.spec.trial_id,
            "arm": self.arm,
            "factor": self.factor,
            "level": self.level,
            "role": self.role,
            "phase": self.phase,
            "dataset": self.spec.dataset,
            "method": self.spec.method,
            "seed_block": str(self.spec.seed_block),
            "seed": self.spec.seed,
            "configuration": self.configuration,
        }


@dataclass(frozen=True)
class TrialResult:
    """The end of a trial that will not be trained again in this run, as searches, stopping rule and record take it."""

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
