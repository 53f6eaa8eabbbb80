"""Reports of a study that is still under way: how many seeds their verdicts were about."""

from __future__ import annotations

from analysis.data import study_view
from analysis.data.study_view import MISSING, StudyView
from analysis.verdicts import verdicts

__all__ = ["seeds_seen"]


def seeds_seen(study: StudyView) -> int:
    """Return at how many seeds a report judges a study that is not done; 0: it is done, or nothing is judged yet."""
    if not study_view.confirm_rows(study)["state"].eq(MISSING).any():
        return 0
    judged = [one.judgement for one in verdicts.verdicts(study)]
    return max((judgement.sharing.n_seeds for judgement in judged if judgement.sharing.n_seeds > 1), default=0)
