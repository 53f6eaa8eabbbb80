"""What a plan or a running study decides by: can the test reach alpha, is every contrast decided at this look?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from orchestrator.designs.base import Contrast
from orchestrator.errors import RequestError
from orchestrator.inference.power import PowerReport, Spread, as_looked_at, assess, spread_of
from orchestrator.inference.sequential import Looks
from orchestrator.inference.shared_draws import Seeds
from orchestrator.inference.verdict_chain import judge
from orchestrator.plan.planning import PlannedTrial
from orchestrator.search.phase import LookUp
from orchestrator.study import Study
from orchestrator.trial import TrialState, stages_of

__all__ = ["all_decided", "detectability", "drawn_stages", "paired_spread", "require_power", "values_of"]

Values = Mapping[str, Mapping[int, float]]
Collapses = Mapping[str, Mapping[int, bool]]
Stages = Mapping[str, Mapping[int, Collection[str]]]


def values_of(planned: Sequence[PlannedTrial], settled: LookUp, metric: str) -> tuple[Values, Collapses]:
    """Return arm -> seed -> metric and arm -> seed -> collapsed, of the complete confirm trials."""
    values: dict[str, dict[int, float]] = {}
    collapsed: dict[str, dict[int, bool]] = {}
    for trial in planned:
        if trial.phase != "confirm":
            continue
        values.setdefault(trial.arm, {})
        found = settled(trial.spec.trial_id)
        if found is not None and found.state is TrialState.COMPLETE and metric in found.metrics:
            values[trial.arm][trial.spec.seed] = found.metrics[metric]
            collapsed.setdefault(trial.arm, {})[trial.spec.seed] = found.collapsed
    return values, collapsed


def drawn_stages(planned: Sequence[PlannedTrial], settled: LookUp) -> Stages:
    """Return arm -> seed -> what the complete confirm trials build on that was made once, with a draw of its own."""
    found: dict[str, dict[int, tuple[str, ...]]] = {}
    for trial in planned:
        known = settled(trial.spec.trial_id) if trial.phase == "confirm" else None
        if known is not None and known.stages:
            drawn = tuple(f"{one.name} {one.key}" for one in stages_of(known.stages) if one.drawn)
            found.setdefault(trial.arm, {})[trial.spec.seed] = drawn
    return found


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


def all_decided(
    study: Study,
    contrasts: Sequence[Contrast],
    values: Values,
    collapsed: Collapses,
    taken: Sequence[int],
    stages: Stages,
    n_seeds: int,
) -> bool:
    """Return whether every contrast of a sequential study is decided (effect, equivalence or futility)."""
    looks = Looks(study.planned_looks, tuple(sorted(set(taken))))
    found = judge(
        values,
        collapsed,
        contrasts,
        alpha=study.alpha,
        margin=study.margin,
        looks=looks,
        seeds=Seeds(range(n_seeds), stages),
    )
    return all(judgement.settled for judgement in found)
