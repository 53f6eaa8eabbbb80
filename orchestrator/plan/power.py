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
        arms = [values.get(arm, {}) for arm in contrast.weights]
        seeds = sorted(set.intersection(*(set(arm) for arm in arms))) if arms else []
        weights = list(contrast.weights.values())
        rows.append([sum(w * arm[seed] for w, arm in zip(weights, arms, strict=True)) for seed in seeds])
    width = max((len(row) for row in rows), default=0)
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
