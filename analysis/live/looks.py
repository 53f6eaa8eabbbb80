"""Looks at a study under way: how many seeds it has, when the next look is allowed; none is taken here."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.live.studies import FollowedStudy
from orchestrator.inference.sequential import Looks, first_plan

__all__ = ["looks_told"]


def looks_told(study: FollowedStudy, has_row: npt.NDArray[np.bool_]) -> dict[str, Any] | None:
    """Return what a page says of a study's looks; None: it confirms nothing.

    Args:
        study: the study.
        has_row: by slot, whether the trial has ended.

    Returns:
        `seeds` (confirm seeds, from the first on, whose planned trials have all ended), `planned`, `taken` and `next`
        (numbers of seeds; `next` is 0 when the plan has no further look), `by_hand` (looks that nobody planned),
        `share` (of the level, that a look at `next`, or else at the last one, may have spent).
    """
    record = study.record
    taken = list(record.get("looks_taken") or ())
    planned = first_plan(record.get("seeds", {}), taken)
    if not len(study.confirm_slots) or not planned:
        return None
    seeds = _whole_seeds(study, has_row)
    counts = sorted({int(look["n_seeds"]) for look in taken})
    later = [n for n in planned if n > max(counts, default=0)]
    finished = bool(record.get("finished_key"))
    following = later[0] if later and not finished else 0
    return {
        "seeds": seeds,
        "planned": list(planned),
        "taken": counts,
        "by_hand": sorted({int(look["n_seeds"]) for look in taken if not look.get("planned", True)}),
        "next": following,
        "share": round(Looks(planned).share(following or max(counts, default=planned[-1])), 3),
    }


def _whole_seeds(study: FollowedStudy, has_row: npt.NDArray[np.bool_]) -> int:
    unfinished = study.confirm_seeds[~has_row[study.confirm_slots]]
    known = np.unique(study.confirm_seeds)
    return int((known < unfinished.min()).sum()) if len(unfinished) else len(known)
