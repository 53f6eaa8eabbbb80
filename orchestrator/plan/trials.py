"""A planned trial: its spec, and why the study asks for it. One row of plan.parquet."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.trial import TrialSpec

__all__ = ["PlannedTrial"]


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
