"""Looks at the results of a study: the first plan of them, and every one that was taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from orchestrator.inference import sequential
from orchestrator.ledger.studies import looks_taken

__all__ = ["early_look", "first_plan", "with_look"]


def first_plan(record: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the numbers of confirm seeds at which the study file said, when the study first ran, that one looks."""
    return sequential.first_plan(record.get("seeds", {}), record.get("looks_taken", ()))


def with_look(record: Mapping[str, Any], n_seeds: int) -> dict[str, Any]:
    """Return the record with one more look at `n_seeds` confirm seeds, unless that look is already in it.

    It is planned if the first plan names it and no look was taken before that this plan does not name: whoever writes
    other numbers into the file after a look has looked by hand.
    """
    looks, plan = list(record.get("looks_taken", ())), first_plan(record)
    taken = looks_taken(record)
    if n_seeds and n_seeds not in taken:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        looks.append({"at": at, "n_seeds": n_seeds, "planned": {n_seeds, *taken} <= set(plan)})
    return {**record, "looks_taken": looks}


def early_look(record: Mapping[str, Any], n_seeds: int) -> dict[str, Any] | None:
    """Return the look that a report at `n_seeds` seeds of a study under way is; None if it was taken before."""
    before = list(record.get("looks_taken", ()))
    taken = with_look(record, n_seeds)["looks_taken"]
    return dict(taken[-1]) if len(taken) > len(before) else None
