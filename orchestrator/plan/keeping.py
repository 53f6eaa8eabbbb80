"""Of which trials a study keeps weights, assignments and embeddings (`Study.keep`)."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.plan.trials import PlannedTrial

__all__ = ["CHOSEN", "CHOSEN_ROLES", "CONFIRM", "KEEPS", "keeps", "kept_trials"]

CHOSEN, CONFIRM = "chosen", "confirm"

KEEPS = ("", CHOSEN, CONFIRM)
"""Nothing; the baseline (what the search chose, where there is one) and the rivals; every arm."""

CHOSEN_ROLES = ("baseline", "rival")


def keeps(keep: str, phase: str, role: str) -> bool:
    """Return whether a study that keeps `keep` keeps trials of a phase and role."""
    return phase == "confirm" and (keep == CONFIRM or (keep == CHOSEN and role in CHOSEN_ROLES))


def kept_trials(keep: str, trials: Iterable[PlannedTrial]) -> set[str]:
    """Return the ids of those of some trials of which something is kept."""
    return {trial.spec.trial_id for trial in trials if keeps(keep, trial.phase, trial.role)}
