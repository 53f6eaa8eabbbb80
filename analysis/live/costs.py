"""What the runs of a study cost beside their price, of the run under way as far as it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from analysis.live.kept_rows import Facts

__all__ = ["costs_told", "run_told", "whole_of"]

MOST_RUNS = 3
"""Past runs of a study that are told, the last ones."""


def run_told(claim: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the driver of a folder announced, checked: whoever may write there may have written anything.

    Args:
        claim: as `ledger.lock.announcement_of` has it.

    Returns:
        `study`, `device`, `dashboard` (texts), `n_trials`, `n_hits`, `workers` (whole numbers), `seconds`
        (expected, low, high, or nothing), `started` (POSIX seconds).
    """
    priced = claim.get("priced")
    priced = priced if isinstance(priced, Mapping) else {}
    return {
        **{name: str(claim.get(name) or "")[:200] for name in ("study", "device", "dashboard")},
        **{name: _whole_number(claim.get(name)) for name in ("n_trials", "n_hits")},
        "workers": _whole_number(priced.get("workers")),
        "seconds": _interval(priced.get("seconds")),
        "started": _moment(claim.get("started_at")),
    }


def whole_of(record: Mapping[str, Any], n_planned: int, n_confirmed: int, announced: int) -> int:
    """Return how many trials a study takes in all, as far as its files and its driver say.

    Args:
        record: of the study.
        n_planned: trials of its plan, which has those of a search under way only as far as they were asked for.
        n_confirmed: those of them that are confirmed.
        announced: what its driver announced; 0: nothing.
    """
    searched = sum(int(one["n_configurations"]) * int(one["n_seeds"]) for one in record.get("searches", ()))
    return max(n_planned, announced, searched + n_confirmed)


def costs_told(record: Mapping[str, Any], run: Mapping[str, Any], own: Facts) -> list[dict[str, Any]]:
    """Return the run under way, if there is one, and the last runs of a study: trials, seconds spent, seconds priced.

    Args:
        record: of the study.
        run: its run under way (`run_told`), or nothing.
        own: facts of its trials.
    """
    found = [_past(entry) for entry in list(record.get("runs", ()))[-MOST_RUNS:]]
    if run:
        new = own[(own["rank"] > 0) & (own["ended"] >= run["started"])]
        spent, of = float(new["seconds"].sum()), max(run["n_trials"] - run["n_hits"], len(new))
        expected = spent * of / len(new) if len(new) else None
        now = {"at": "now", "trials": len(new), "of": of, "spent": round(spent, 3), "expected": expected}
        found.append({**now, "priced": run["seconds"]})
    return found[::-1]


def _past(entry: Mapping[str, Any]) -> dict[str, Any]:
    priced = entry.get("priced") or {}
    told = {"at": str(entry.get("at", "")), "trials": entry.get("trials", 0), "spent": entry.get("seconds", 0.0)}
    return {**told, "of": priced.get("n_trials", 0), "expected": None, "priced": _interval(priced.get("seconds"))}


def _interval(value: Any) -> list[float]:
    known = value if isinstance(value, list) and len(value) == 3 else []
    numbers = [float(one) for one in known if isinstance(one, int | float) and math.isfinite(one)]
    return numbers if len(numbers) == 3 else []


def _whole_number(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 2**31 else 0


def _moment(value: Any) -> float:
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except (ValueError, OverflowError, OSError):
        return math.inf
