"""What a study can detect before it runs, and the refusal of one whose corrected test cannot reach alpha."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from orchestrator.designs.base import Contrast
from orchestrator.errors import RequestError
from orchestrator.inference.power import PowerReport, Spread, as_looked_at, assess, spread_of
from orchestrator.inference.sequential import Looks
from orchestrator.study import Study

__all__ = ["detectability", "paired_spread", "require_power"]

Values = Mapping[str, Mapping[int, float]]


def paired_spread(contrasts: Sequence[Contrast], values: Values) -> Spread | None:
    """Return the pooled spread of the paired differences that are known already; None without two pairs."""
    rows = []
    for contrast in contrasts:
        rows.append(_paired_differences(contrast, values))
    width = max(map(len, rows), default=0)
    if width < 2:
        return None
    table = np.full((len(rows), width), np.nan)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return spread_of(table)


def detectability(study: Study, n_contrasts: int, spread: Spread | None = None) -> PowerReport | None:
    """Return what the study can detect; None if it tests nothing."""
    if n_contrasts == 0:
        return None
    looks = Looks(study.planned_looks)
    return assess(as_looked_at(study.looks[-1], n_contrasts, study.alpha, looks), spread)


def require_power(study: Study, n_contrasts: int) -> None:
    """Refuse a confirmatory study whose corrected test cannot reach alpha whatever the data say.

    Raises:
        RequestError: says how many seeds it would take.
    """
    found = detectability(study, n_contrasts)
    if found is None or found.reachable or study.exploratory:
        return
    share = found.replication.alpha / study.alpha
    part = f" of the {share:.0%} of alpha that a look before the planned seeds may spend" if share < 1 else ""
    raise RequestError(
        f"study {study.name}: {study.looks[-1]} seeds and {n_contrasts} contrasts cannot reach alpha {study.alpha:g}: "
        f"the smallest corrected p is {found.smallest_p / share:.3g}{part}; plan at least {found.seeds_to_reach} seeds "
        "(--set seeds=N), or say exploratory=True in the study"
    )


def _paired_differences(contrast: Contrast, values: Values) -> list[float]:
    """Return the contrast on every seed that all of its arms have."""
    differences: dict[int, float] = {}
    for place, (arm, weight) in enumerate(contrast.weights.items()):
        own = values.get(arm, {})
        if place == 0:
            differences = dict.fromkeys(sorted(own), 0.0)
        differences = {seed: so_far + weight * own[seed] for seed, so_far in differences.items() if seed in own}
    return list(differences.values())
