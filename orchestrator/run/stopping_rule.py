"""Whether a sequential study may stop: is every contrast decided at this look?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from orchestrator.designs.base import Contrast
from orchestrator.inference.sequential import Looks
from orchestrator.inference.shared_draws import Seeds
from orchestrator.inference.verdict_chain import judge
from orchestrator.plan.planning import PlannedTrial
from orchestrator.search.phase import LookUp
from orchestrator.study import Study
from orchestrator.trial import TrialState, stages_of

__all__ = ["all_decided", "drawn_stages", "values_of"]

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


def all_decided(
    study: Study,
    contrasts: Sequence[Contrast],
    values: Values,
    collapsed: Collapses,
    looks: Looks,
    stages: Stages,
    n_seeds: int,
) -> bool:
    """Return whether every contrast of a sequential study is decided (effect, equivalence or futility)."""
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
