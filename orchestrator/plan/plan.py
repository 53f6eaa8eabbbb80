"""The plan of a study: one immutable value that is checked, priced, run, recorded and printed.

It says which arms, contrasts and trials a study asks for; what of them has been trained is not its business. Arms
around a search have stand-in values until the search has chosen: `with_chosen` returns the plan that follows then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from orchestrator import discovery
from orchestrator.designs.base import Contrast, Design
from orchestrator.designs.search import Search
from orchestrator.errors import RequestError
from orchestrator.inference.power import PowerReport, Spread
from orchestrator.knobs import Value, canonical, identity
from orchestrator.plan import power
from orchestrator.plan.arms import PlannedArm, PlannedContrast, arms_of_design, contrasts_of
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.checks import check_arms, check_study
from orchestrator.plan.trials import PlannedTrial
from orchestrator.plateau import StopRule
from orchestrator.study import Study
from orchestrator.trial import SeedBlock, TrialSpec, ids

__all__ = ["Choices", "Plan", "choices_of", "plan_of"]

Choices = Mapping[tuple[str, int], Mapping[str, Value]]
"""(dataset, place of a design in the study) -> what the search chose there that the design waits for."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a study asks for; made by `plan_of`."""

    study: Study
    catalogue: Catalogue
    arms: tuple[PlannedArm, ...]
    """Of every design on every dataset, in the order of the study's datasets."""
    contrasts: tuple[PlannedContrast, ...]
    chosen: Choices = field(default_factory=dict)

    def with_chosen(self, dataset: str, chosen: Mapping[int, Mapping[str, Value]]) -> Plan:
        """Return the plan in which the searches of a dataset have chosen.

        Args:
            dataset: where.
            chosen: place of a design in the study -> the base of its arms.
        """
        known = dict(self.chosen)
        for index, values in chosen.items():
            known[dataset, index] = values
        arms = _arms(self.study, self.catalogue, known)
        return replace(self, chosen=known, arms=arms, contrasts=contrasts_of(self.study, arms))

    @cached_property
    def configurations(self) -> dict[str, TrialSpec]:
        """Name of an arm -> the spec of its configuration, on seed 0."""
        return {one.name: self.spec(one.arm.method, one.arm.values, one.dataset) for one in self.arms}

    @cached_property
    def family(self) -> list[Contrast]:
        """The contrasts without their datasets."""
        return [one.contrast for one in self.contrasts]

    @property
    def searches(self) -> list[tuple[str, int, Search]]:
        """(dataset, place of the design, search) of every search, dataset by dataset."""
        found = []
        for dataset in self.study.datasets:
            for index, design in enumerate(self.study.designs):
                if design.search is not None:
                    found.append((dataset, index, design.search))
        return found

    @property
    def n_search_trials(self) -> int:
        """Trials of all searches, but for those of the ledger that one begins from."""
        return sum(search.n_configurations * search.n_seeds for _, _, search in self.searches)

    def spec(self, method: str, values: Mapping[str, Value], dataset: str, n_epochs: int | None = None) -> TrialSpec:
        """Return the spec of a configuration on a dataset, seed 0 of the confirm block.

        Args:
            method: the method's name.
            values: what differs from its defaults.
            dataset: the dataset's reference.
            n_epochs: the budget; None: the study's, or else the method's.
        """
        study, found = self.study, self.catalogue.method(method)
        return TrialSpec(
            method=found.named,
            method_version=found.version,
            config=identity(found.knobs, canonical(found.knobs, values, method)),
            dataset=dataset,
            dataset_digest=self.catalogue.dataset(dataset, study.protocol).digest,
            protocol=study.protocol,
            n_epochs=n_epochs or study.n_epochs or found.n_epochs,
            precision=study.precision if study.precision in found.precisions else "float32",
            stop=self._stop,
            declaration=found.declaration,
        )

    @cached_property
    def _stop(self) -> str:
        """The study's rule for stopping, as its trials carry it."""
        rule = self.study.stop
        if rule is None:
            return ""
        return StopRule(rule, bool(discovery.metric(rule.metric).larger_is_better)).written

    def search_trials(self, search: Search, dataset: str, values: Mapping[str, Value]) -> list[TrialSpec]:
        """Return what a search trains of one configuration on a dataset: one trial a search seed."""
        spec = self.spec(search.method, values, dataset, search.n_epochs)
        return [replace(spec, seed=seed, seed_block=SeedBlock.SEARCH) for seed in range(search.n_seeds)]

    def asks_for(self, search: Search, dataset: str, told: Mapping[str, Any]) -> bool:
        """Return whether an entry of a recorded search's history is about trials that this plan would train.

        It is not where the method's version, the data, a knob or the budget have changed since.
        """
        try:
            wanted = ids(self.search_trials(search, dataset, told["values"]))
        except RequestError:  # a knob that there is no more, or a value that is no more allowed
            return False
        return sorted(wanted) == sorted(told["trial_ids"])

    def kinds(self) -> list[TrialSpec]:
        """Return one trial of each method on each dataset, the study's own design first; no trial of the plan."""
        return [self.spec(method, {}, dataset) for dataset in self.study.datasets for method in self.study.methods]

    def confirm_trials(self, seeds: Iterable[int], datasets: Collection[str] | None = None) -> list[PlannedTrial]:
        """Return the trials of the arms on confirm seeds, arm by arm.

        Args:
            seeds: of the confirm block.
            datasets: of these only; None: of all.
        """
        wanted = list(seeds)
        found = []
        for planned in self.arms:
            if datasets is not None and planned.dataset not in datasets:
                continue
            arm, spec = planned.arm, self.configurations[planned.name]
            for seed in wanted:
                found.append(
                    PlannedTrial(
                        spec=replace(spec, seed=seed, seed_block=SeedBlock.CONFIRM),
                        arm=planned.name,
                        role=arm.role,
                        phase="confirm",
                        factor=arm.factor,
                        level=arm.level,
                    )
                )
        return found

    def power(self, spread: Spread | None = None) -> PowerReport | None:
        """Return what the study can detect, at a spread of paired differences if known; None: it tests nothing."""
        return power.detectability(self.study, len(self.contrasts), spread)

    def require_power(self) -> None:
        """Refuse a confirmatory study whose corrected test cannot reach alpha whatever the data say.

        Raises:
            RequestError: says how many seeds it would take.
        """
        power.require_power(self.study, len(self.contrasts))


def plan_of(study: Study, catalogue: Catalogue, chosen: Choices | None = None) -> Plan:
    """Return the plan of a study that holds together.

    Args:
        study: the study, at its tier and with its settings.
        catalogue: methods and datasets.
        chosen: what searches have chosen before; the arms around others have stand-in values.

    Raises:
        RequestError: one line that names the value and what is allowed.
    """
    check_study(study, catalogue)
    known = dict(chosen or {})
    arms = _arms(study, catalogue, known)
    contrasts = contrasts_of(study, arms)
    check_arms(study, arms, contrasts, catalogue)
    return Plan(study=study, catalogue=catalogue, arms=arms, contrasts=contrasts, chosen=known)


def choices_of(plan: Plan, record_of: Callable[[str], Mapping[str, Any]]) -> Choices:
    """Return what searches have chosen already, as far as records say it and the plan still asks for their trials.

    Args:
        plan: of the study whose designs wait for choices.
        record_of: key of a study -> its record (study.json); empty: there is none.
    """
    found: dict[tuple[str, int], Mapping[str, Value]] = {}
    for index, design in enumerate(plan.study.designs):
        if design.search is design:
            continue
        key = design.starts_from or plan.study.key
        entries = record_of(key).get("searches", []) if _waits(design) else []
        for entry in entries:
            if entry["method"] == design.method and entry["chosen"] and _holds(plan, design, entry):
                found.setdefault((entry["dataset"], index), entry["chosen"])
    return found


def _holds(plan: Plan, design: Design, entry: Mapping[str, Any]) -> bool:
    """Return whether what a search of the study itself was told is what it would be told now."""
    search, dataset = design.search, entry["dataset"]
    if search is None or dataset not in plan.study.datasets:
        return True
    return all(plan.asks_for(search, dataset, told) for told in entry["history"] if not told.get("warm_start"))


def _waits(design: Design) -> bool:
    """Return whether the arms of a design have their base from a search."""
    return design.search is not None or bool(design.starts_from)


def _arms(study: Study, catalogue: Catalogue, chosen: Choices) -> tuple[PlannedArm, ...]:
    found: list[PlannedArm] = []
    for dataset in study.datasets:
        for index, design in enumerate(study.designs):
            space = catalogue.space(design.method)
            base, decided = chosen.get((dataset, index), {}), not _waits(design) or (dataset, index) in chosen
            if not decided and design.search is not None:
                base = design.search.stand_in(space)
            found += arms_of_design(study, index, dataset, space, base, decided=decided)
    return tuple(found)
