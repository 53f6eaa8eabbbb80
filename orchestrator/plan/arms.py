"""The arms of a study on each dataset, and the contrasts between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.designs.base import Arm, Contrast
from orchestrator.knobs import Knob, Value
from orchestrator.study import Study

__all__ = ["PlannedArm", "PlannedContrast", "arms_of_design", "contrasts_of"]


@dataclass(frozen=True, kw_only=True)
class PlannedArm:
    """An arm on one dataset, with its name in the study (unique) and the place of its design in the study."""

    arm: Arm
    name: str
    dataset: str
    design: int
    decided: bool = True
    """False: its base waits for a search, and stand-in values are in its place."""
    stand_ins: tuple[str, ...] = ()
    """The knobs that have a stand-in value: what the search is still to choose, and the arm does not set itself."""


@dataclass(frozen=True)
class PlannedContrast:
    """A contrast between planned arms, and the dataset that they are on."""

    contrast: Contrast
    dataset: str


def arms_of_design(
    study: Study, index: int, dataset: str, space: Mapping[str, Knob], base: Mapping[str, Value], *, decided: bool
) -> list[PlannedArm]:
    """Return the arms of one design of a study on one dataset, around `base`."""
    design = study.designs[index]
    suffix = f" @ {dataset}" if len(study.datasets) > 1 else ""
    arms = []
    for arm in design.arms(space, base):
        role = arm.role if index == 0 or arm.role != "baseline" else "rival"
        name = arm.name if index == 0 or arm.name == design.method else f"{design.method} {arm.name}"
        planned = replace(arm, role=role)
        own = () if decided else tuple(knob for knob, value in base.items() if arm.values.get(knob) == value)
        arms.append(
            PlannedArm(arm=planned, name=name + suffix, dataset=dataset, design=index, decided=decided, stand_ins=own)
        )
    return arms


def contrasts_of(study: Study, arms: Sequence[PlannedArm]) -> tuple[PlannedContrast, ...]:
    """Return every contrast of the study over its planned arms, dataset by dataset.

    The design contributes its own. So does a rival design over the same method (a second question about it, as
    add_one_in beside leave_one_out), whose baseline alone is compared with the study's; of a rival of another method
    every arm is.
    """
    found: list[PlannedContrast] = []
    for dataset in study.datasets:
        here = [arm for arm in arms if arm.dataset == dataset]
        for index in range(len(study.designs)):
            found += [PlannedContrast(one, dataset) for one in _own_contrasts(study, index, here)]
        baseline = next((arm for arm in here if arm.arm.role == "baseline"), None)
        if baseline is None:
            continue
        for arm in here:
            if arm.design > 0 and (arm.arm.role == "rival" or not _asks_of_its_own(study, arm.design)):
                found.append(PlannedContrast(_against(arm, baseline), dataset))
    return tuple(found)


def _own_contrasts(study: Study, index: int, here: Sequence[PlannedArm]) -> list[Contrast]:
    """Return what one design asks about its own arms, under their names in the study."""
    own = [arm for arm in here if arm.design == index]
    if not own or not (index == 0 or _asks_of_its_own(study, index)):
        return []
    names = {arm.arm.name: arm.name for arm in own}
    asked = study.designs[index].contrasts([_as_asked(arm) for arm in own])
    return [_renamed(contrast, names) for contrast in asked]


def _asks_of_its_own(study: Study, index: int) -> bool:
    return study.designs[index].method == study.design.method


def _as_asked(arm: PlannedArm) -> Arm:
    """Return the arm in the role that its own design gave it: a second design's baseline is a rival of the study's."""
    return replace(arm.arm, role="baseline") if arm.arm.role == "rival" else arm.arm


def _renamed(contrast: Contrast, names: Mapping[str, str]) -> Contrast:
    name = " vs ".join(names.get(part, part) for part in contrast.name.split(" vs "))
    return replace(contrast, name=name, weights={names[arm]: weight for arm, weight in contrast.weights.items()})


def _against(arm: PlannedArm, baseline: PlannedArm) -> Contrast:
    return Contrast(
        name=f"{arm.name} vs {baseline.name}",
        weights={arm.name: 1.0, baseline.name: -1.0},
        factor="method",
        level=arm.arm.method,
    )
