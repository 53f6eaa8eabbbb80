"""What a study wants trained next: its searches, its confirmation, and the pruners of the searches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.knobs import Value
from orchestrator.plan.plan import Plan
from orchestrator.plan.trials import LookUp, PlannedTrial
from orchestrator.record.study_json import Standing
from orchestrator.run.confirmation import Confirmation
from orchestrator.search.phase import SearchPhase
from orchestrator.search.pruning import RoundPruner
from orchestrator.trial import SeedBlock, TrialSpec

__all__ = ["Schedule"]


class Schedule:
    """Asks every phase of a study in turn.

    Args:
        plan: of the study.
        searches: by dataset and place of the design (`search.warm_start.searches_of`).
        base_of: (earlier study, dataset) -> what its search chose.
        decided: (plan, number of seeds) -> whether a sequential study needs no further look.
    """

    def __init__(
        self,
        plan: Plan,
        searches: Mapping[tuple[str, int], SearchPhase],
        base_of: Callable[[str, str], Mapping[str, Value]],
        decided: Callable[[Plan, int], bool],
    ) -> None:
        self.searches = list(searches.values())
        self.confirmation = Confirmation(plan, searches, base_of, decided)
        self.pruners = [RoundPruner(phase) for phase in self.searches if phase.search.pruner != "none"]
        self.planned: list[PlannedTrial] = []
        """All that has been asked for, in order."""
        self._n_confirm = 0

    @property
    def plan(self) -> Plan:
        """The plan, with what searches have chosen so far."""
        return self.confirmation.plan

    @property
    def finished(self) -> bool:
        """Whether nothing more will be asked for."""
        return self.confirmation.finished and self.phase == "confirm"

    @property
    def n_trials(self) -> int:
        """Trials of whole searches, and of the confirmation as far as it has been asked for."""
        return sum(phase.n_trials for phase in self.searches) + self._n_confirm

    @property
    def phase(self) -> str:
        """`search` until every search has chosen, then `confirm`."""
        return "confirm" if all(phase.finished for phase in self.searches) else "search"

    def advance(self, look_up: LookUp) -> list[PlannedTrial]:
        """Return the trials that phases want next: of a search one round."""
        fresh: list[PlannedTrial] = []
        for search in self.searches:
            fresh += search.advance(look_up)
        confirming = self.confirmation.advance(look_up)
        self._n_confirm += len(confirming)
        self.planned += [*fresh, *confirming]
        return [*fresh, *confirming]

    def standing(self, equivalence: Mapping[str, Any]) -> Standing:
        """Return where the run stands, for its record.

        Args:
            equivalence: what is known of members trained again alone.
        """
        return Standing(
            plan=self.plan,
            begun=self.confirmation.begun,
            n_seeds=self.confirmation.n_seeds,
            planned=self.planned,
            searches=[phase.record() for phase in self.searches],
            finished=self.finished,
            equivalence=equivalence,
        )

    def may_stop_early(self, spec: TrialSpec) -> bool:
        """Return whether a trial is one of a search that prunes; what a verdict compares is never pruned."""
        if spec.seed_block is not SeedBlock.SEARCH:
            return False
        return any(pruner.phase.search.method == spec.method for pruner in self.pruners)

    def is_hopeless(self, trial_id: str) -> bool:
        """Return whether a pruner has stopped the configuration of a trial."""
        return any(pruner.hopeless(trial_id) for pruner in self.pruners)
