"""The looks that were taken at a study: what must be paid for, and what a later look may still claim, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.number_format import join
from orchestrator.inference.sequential import Looks, first_plan

__all__ = ["looks_of", "looks_sentence"]


def looks_of(record: Mapping[str, Any]) -> Looks | None:
    """Return the looks that must be paid for; None for a study with fixed seeds that was looked at once, as planned."""
    looks = list(record.get("looks_taken") or ())
    taken = sorted({int(look["n_seeds"]) for look in looks})
    planned = first_plan(record["seeds"], looks) or tuple(taken[:1])
    if not planned or (len(planned) == 1 and taken in ([], list(planned))):
        return None
    return Looks(planned=planned, taken=tuple(taken))


def looks_sentence(record: Mapping[str, Any]) -> str:
    """Return the looks that were taken, what they saved, and what one after the plan may still claim.

    Empty for a single look of a fixed plan.
    """
    looks = list(record.get("looks_taken") or ())
    planned = first_plan(record["seeds"], looks)
    by_hand = [look for look in looks if not look.get("planned", True)]
    if not looks or (len(looks) < 2 and not by_hand and len(planned) < 2):
        return ""
    unplanned = f", {len(by_hand)} of them not planned" if by_hand else ", all planned"
    if len(looks) == 1:
        unplanned = ", which was not planned" if by_hand else ", as planned"
    numbers = join([str(look["n_seeds"]) for look in looks])
    said = f"{len(looks)} look{'s' * (len(looks) > 1)} taken at the results, with {numbers} seeds{unplanned}."
    return " ".join([said, *_saved(record, planned), *_after_the_plan(record, planned)])


def _saved(record: Mapping[str, Any], planned: tuple[int, ...]) -> list[str]:
    n_seeds = len(record["seeds"]["seeds"])
    if len(planned) < 2 or n_seeds > planned[-1]:
        return []
    saved = Looks(planned).saving(n_seeds)
    ended = f"it stopped there and saved {100 * saved:.0f} % of them" if saved else "none of them was saved"
    return [f"Of {planned[-1]} planned seeds the study took {n_seeds}: {ended}."]


def _after_the_plan(record: Mapping[str, Any], planned: tuple[int, ...]) -> list[str]:
    n_seeds, n_contrasts = len(record["seeds"]["seeds"]), len(record.get("contrasts") or ())
    if not planned or n_seeds <= planned[-1] or not n_contrasts:
        return []
    left = Looks(planned).unspent(float(record["alpha"]) / n_contrasts)
    return [
        f"The first plan ended at {planned[-1]} seeds: what it showed stands, if the seeds after it do not point the "
        f"other way, and they may claim only with what it left of a contrast's level ({100 * left:.0f} % without ties)."
    ]
