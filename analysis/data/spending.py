"""What a study was priced at, and what it cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["spending_sentence"]


def spending_sentence(record: Mapping[str, Any]) -> str:
    """Return one sentence on the last run that finished: priced against spent; empty: no run of it is on record."""
    runs = [run for run in record.get("runs", ()) if not run["stopped"]]
    if not runs:
        return ""
    run = runs[-1]
    spent = (
        f"The last run trained {run['trials']} trials in {run['wall_seconds']:.0f} s ({run['seconds']:.0f} s of workers"
    )
    if run["priced"] is None or not math.isfinite(run["priced"]["seconds"][0]):
        return f"{spent}); it had no price, since nothing was known of its programs."
    expected, low, high = run["priced"]["wall_seconds"]
    within = "inside" if low <= run["wall_seconds"] <= high else "outside"
    seconds = run["priced"]["seconds"][0]
    return (
        f"{spent}); the price was {expected:.0f} s, {low:.0f} to {high:.0f} with 90 % ({seconds:.0f} s of workers): "
        f"{within} the interval."
    )
