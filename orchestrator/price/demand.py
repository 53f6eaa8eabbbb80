"""What of a plan is still to be trained: counted once, and taken by the probe, the price and the printed plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from orchestrator.designs.search import Search
from orchestrator.ledger import Ledger
from orchestrator.plan.keeping import kept_trials
from orchestrator.plan.plan import Plan
from orchestrator.plan.trials import PlannedTrial
from orchestrator.trial import TrialSpec

__all__ = ["Demand", "demand"]


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a plan asks for, what of it the ledger has, and what is missing."""

    plan: Plan
    confirm: list[PlannedTrial]
    """Confirm trials at the last look."""
    hits: set[str]
    """trial_ids of those that the ledger has."""
    kept: set[str]
    """trial_ids of those whose files the study keeps."""
    unkept: set[str]
    """Those of them that the ledger has, without their files: they are trained again."""
    search_hits: int
    to_confirm: dict[str, TrialSpec]
    """Missing confirm trials by trial_id."""
    to_search: list[list[TrialSpec]]
    """Round by round, stand-ins for the missing trials of searches: a price needs no more."""

    @property
    def n_trials(self) -> int:
        """Trials in all."""
        return self.plan.n_search_trials + len(self.confirm)

    @property
    def n_hits(self) -> int:
        """Those in the ledger."""
        return self.search_hits + len(self.hits)

    @property
    def missing(self) -> list[TrialSpec]:
        """Those to be trained."""
        return list(chain.from_iterable(self.waves))

    @property
    def waves(self) -> list[list[TrialSpec]]:
        """Those to be trained, in groups of which each waits for the one before."""
        return [*self.to_search, list(self.to_confirm.values())]


def demand(plan: Plan, ledger: Ledger) -> Demand:
    """Return what a plan asks for, beside what the ledger has."""
    study = plan.study
    record = ledger.studies.read(study.key)[0] if study.key in ledger.studies.names() else {}
    confirm = plan.confirm_trials(range(study.looks[-1]))
    wanted = {trial.spec.trial_id: trial.spec for trial in confirm}
    hits = ledger.complete(wanted)
    kept = kept_trials(study.keep, confirm)
    unkept = ledger.kept.missing_of(kept)
    return Demand(
        plan=plan,
        confirm=confirm,
        hits=hits - unkept,
        kept=kept,
        unkept=unkept & hits,
        search_hits=sum(len(told) for told in _told(plan, record, ledger)),
        to_confirm={trial_id: spec for trial_id, spec in wanted.items() if trial_id not in hits - unkept},
        to_search=_search_rounds(plan, record, ledger),
    )


def _told(plan: Plan, record: Mapping[str, Any], ledger: Ledger) -> list[set[str]]:
    """Return for each search of a plan the kept trials that it was told of and would still ask for."""
    return [_told_of(plan, record, search, dataset, ledger) for dataset, _, search in plan.searches]


def _told_of(plan: Plan, record: Mapping[str, Any], search: Search, dataset: str, ledger: Ledger) -> set[str]:
    found: set[str] = set()
    for entry in record.get("searches", []):
        if (entry["method"], entry["dataset"]) != (search.method, dataset):
            continue
        for told in entry["history"]:
            if not told.get("warm_start") and plan.asks_for(search, dataset, told):
                found.update(told["trial_ids"])
        break
    return set(ledger.states(found)) if found else found


def _search_rounds(plan: Plan, record: Mapping[str, Any], ledger: Ledger) -> list[list[TrialSpec]]:
    """Return stand-ins for what searches have still to ask for, round by round: they cost what the base costs."""
    rounds: list[list[TrialSpec]] = []
    told = _told(plan, record, ledger)
    for (dataset, _, search), known in zip(plan.searches, told, strict=True):
        own = plan.search_trials(search, dataset, search.base)
        left = search.n_configurations - len(known) // search.n_seeds
        together = search.round_size * (1 + search.rounds_ahead)
        for number, begin in enumerate(range(0, left, together)):
            if number == len(rounds):
                rounds.append([])
            rounds[number] += own * min(together, left - begin)
    return rounds
