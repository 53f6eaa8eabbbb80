"""What a report says of trials that somebody retracted: they count as nothing, and why is said."""

from __future__ import annotations

from analysis.data.study_view import StudyView
from orchestrator.ledger import Ledger

__all__ = ["retracted_sentences"]


def retracted_sentences(study: StudyView) -> list[str]:
    """Return one sentence a reason: which planned trials were retracted for it, and whether they were trained again."""
    retracted = Ledger(study.results).retracted()
    own = study.rows[study.rows["trial_id"].isin(retracted.keys())]
    by_reason: dict[str, list[str]] = {}
    for trial_id, arm, seed, state in own[["trial_id", "arm", "seed", "state"]].itertuples(index=False):
        again = "" if state == "missing" else ", trained again since"
        by_reason.setdefault(retracted[trial_id].reason, []).append(f"{arm} seed {seed}{again}")
    return [f"Retracted ({reason}): {'; '.join(trials)}." for reason, trials in sorted(by_reason.items())]
