"""Whether a sequential study may stop: is every contrast decided at this look, in both of its parts?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.inference.arm_seed_values import ArmSeedValues, Outcome
from orchestrator.inference.paired_parts import matched
from orchestrator.inference.sequential import Looks
from orchestrator.inference.verdict_chain import judge
from orchestrator.ledger.studies import looks_taken
from orchestrator.plan.plan import Plan
from orchestrator.plan.trials import LookUp, PlannedTrial, TrialResult
from orchestrator.record.looks import first_plan
from orchestrator.study import UntilDecided
from orchestrator.trial import TrialState, stages_of

__all__ = ["arm_seed_values", "may_stop"]


def arm_seed_values(
    planned: Sequence[PlannedTrial], look_up: LookUp, metric: str, seeds: Sequence[int] | None = None
) -> ArmSeedValues:
    """Return what the judge takes, of the confirm trials of a run.

    Args:
        planned: the trials of the study.
        look_up: their results.
        metric: the metric that is judged.
        seeds: those asked for; None: those that there are.
    """
    arms: dict[str, None] = {}  # in order
    outcomes = []
    for trial in planned:
        if trial.phase == "confirm":
            arms[trial.arm] = None
            result = look_up(trial.spec.trial_id)
            if result is not None:
                outcomes.append(_outcome(trial, result, metric))
    return ArmSeedValues.of(outcomes, list(arms), seeds)


def _outcome(trial: PlannedTrial, result: TrialResult, metric: str) -> Outcome:
    return Outcome(
        arm=trial.arm,
        seed=trial.spec.seed,
        state=str(result.state),
        value=result.metrics.get(metric, math.nan) if result.state is TrialState.COMPLETE else math.nan,
        collapsed=result.collapsed,
        failure_kind=result.failure_kind,
        drawn=tuple(f"{stage.name} {stage.key}" for stage in stages_of(result.stages) if stage.drawn),
    )


def may_stop(
    plan: Plan, planned: Sequence[PlannedTrial], look_up: LookUp, record: Mapping[str, Any], n_seeds: int
) -> bool:
    """Judge a study at a look, on all its datasets at once; one with a fixed number of seeds never stops early.

    It may stop when both parts of every contrast are decided: shown, or unlikely to be shown by the last planned look.

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
    taken = sorted(look for look in {*study.looks, *looks_taken(record)} if look <= n_seeds)
    looks = Looks(first_plan(record) or study.planned_looks, tuple(taken))
    table = arm_seed_values(planned, look_up, study.metric, range(n_seeds))
    settings = {arm.name: arm.arm.values for arm in plan.arms}
    found = judge(table, matched(plan.family, settings), alpha=study.alpha, margin=study.margin, looks=looks)
    return all(judgement.decided for judgement in found)
