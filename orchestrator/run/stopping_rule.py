"""Whether a sequential study may stop: is every contrast decided at this look?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from orchestrator.designs.base import Contrast
from orchestrator.inference.sequential import Looks
from orchestrator.inference.shared_draws import Seeds
from orchestrator.inference.verdict_chain import judge
from orchestrator.plan.plan import Plan
from orchestrator.plan.trials import PlannedTrial
from orchestrator.run.record import first_plan
from orchestrator.study import Study, UntilDecided
from orchestrator.trial import TrialState, stages_of
from orchestrator.trial_result import LookUp

__all__ = ["all_decided", "drawn_stages", "may_stop", "values_of"]

Values = Mapping[str, Mapping[int, float]]
Collapses = Mapping[str, Mapping[int, bool]]
Stages = Mapping[str, Mapping[int, Collection[str]]]


def values_of(planned: Sequence[PlannedTrial], look_up: LookUp, metric: str) -> tuple[Values, Collapses]:
    """Return arm -> seed -> metric and arm -> seed -> collapsed, of the complete confirm trials."""
    values: dict[str, dict[int, float]] = {}
    collapsed: dict[str, dict[int, bool]] = {}
    for trial in planned:
        if trial.phase != "confirm":
            continue
        values.setdefault(trial.arm, {})
        found = look_up(trial.spec.trial_id)
        if found is not None and found.state is TrialState.COMPLETE and metric in found.metrics:
            values[trial.arm][trial.spec.seed] = found.metrics[metric]
            collapsed.setdefault(trial.arm, {})[trial.spec.seed] = found.collapsed
    return values, collapsed


def drawn_stages(planned: Sequence[PlannedTrial], look_up: LookUp) -> Stages:
    """Return arm -> seed -> what the complete confirm trials build on that was made once, with a draw of its own."""
    found: dict[str, dict[int, tuple[str, ...]]] = {}
    for trial in planned:
        known = look_up(trial.spec.trial_id) if trial.phase == "confirm" else None
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


def may_stop(
    plan: Plan, planned: Sequence[PlannedTrial], look_up: LookUp, record: Mapping[str, Any], n_seeds: int
) -> bool:
    """Judge a study at a look, on all its datasets at once; one with a fixed number of seeds never stops early.

    Args:
        plan: of the study, its searches having chosen.
        planned: the trials that were asked for so far.
        look_up: their results.
        record: the study's earlier record: its first plan, and the looks that were taken.
        n_seeds: how many confirm seeds there are now.
    """
    study = plan.study
    if not isinstance(study.seeds, UntilDecided):
        return False
    values, collapsed = values_of(planned, look_up, study.metric)
    earlier = [look["n_seeds"] for look in record.get("looks_taken", ())]
    taken = sorted({look for look in (*study.looks, *earlier) if look <= n_seeds})
    looks = Looks(first_plan(record) or study.planned_looks, tuple(taken))
    return all_decided(study, plan.family, values, collapsed, looks, drawn_stages(planned, look_up), n_seeds)
