"""Whether a sequential study may stop: is every contrast decided at this look, in both of its parts?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.inference.arm_seed_values import ArmSeedValues, Outcome
from orchestrator.inference.paired_parts import matched
from orchestrator.inference.sequential import Looks
from orchestrator.inference.verdict_chain import judge
from orchestrator.plan.plan import Plan
from orchestrator.plan.trials import PlannedTrial
from orchestrator.record.looks import first_plan
from orchestrator.study import UntilDecided
from orchestrator.trial import TrialState, stages_of
from orchestrator.trial_result import LookUp

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
    confirm = [trial for trial in planned if trial.phase == "confirm"]
    arms = list(dict.fromkeys(trial.arm for trial in confirm))
    return ArmSeedValues.of(_outcomes(confirm, look_up, metric), arms, seeds)


def _outcomes(planned: Sequence[PlannedTrial], look_up: LookUp, metric: str) -> Iterator[Outcome]:
    for trial in planned:
        found = look_up(trial.spec.trial_id)
        if found is None:
            continue
        yield Outcome(
            arm=trial.arm,
            seed=trial.spec.seed,
            state=str(found.state),
            value=found.metrics.get(metric, math.nan) if found.state is TrialState.COMPLETE else math.nan,
            collapsed=found.collapsed,
            failure_kind=found.failure_kind,
            drawn=tuple(f"{one.name} {one.key}" for one in stages_of(found.stages) if one.drawn),
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
    earlier = [look["n_seeds"] for look in record.get("looks_taken", ())]
    taken = sorted({look for look in (*study.looks, *earlier) if look <= n_seeds})
    looks = Looks(first_plan(record) or study.planned_looks, tuple(taken))
    table = arm_seed_values(planned, look_up, study.metric, range(n_seeds))
    settings = {arm.name: arm.arm.values for arm in plan.arms}
    found = judge(table, matched(plan.family, settings), alpha=study.alpha, margin=study.margin, looks=looks)
    return all(judgement.decided for judgement in found)
