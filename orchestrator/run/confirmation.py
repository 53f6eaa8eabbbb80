"""Confirmation: the arms of a study over confirm seeds, look by look.

The first look at a dataset begins when its searches have chosen; later looks wait for all datasets, since the
contrasts of a study are judged as one family.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from orchestrator.knobs import Value
from orchestrator.plan.plan import Plan
from orchestrator.plan.trials import LookUp, PlannedTrial
from orchestrator.search.phase import SearchPhase

__all__ = ["Confirmation"]


class Confirmation:
    """Asks for the trials of the arms, as soon as they are known.

    Args:
        plan: of the study; `plan` holds what it has become since searches have chosen.
        searches: by dataset and place of the design.
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
        self.plan, self._searches, self._base_of, self._decided = plan, searches, base_of, decided
        self.n_seeds = plan.study.looks[0]
        self.finished = False
        self._waiting = list(plan.study.datasets)
        """Datasets whose searches have not chosen."""
        self._trials: list[PlannedTrial] = []
        self._n_ended = 0
        """So many of them, from the first on, are known to have ended: none is looked up again."""

    @property
    def begun(self) -> list[str]:
        """The datasets whose arms are known, in the study's order."""
        return [dataset for dataset in self.plan.study.datasets if dataset not in self._waiting]

    def advance(self, look_up: LookUp) -> list[PlannedTrial]:
        """Return the trials to ask for now: those of datasets whose searches have chosen, or the next look."""
        ready = [dataset for dataset in self._waiting if self._has_chosen(dataset)]
        if ready:
            for dataset in ready:
                self._waiting.remove(dataset)
                self.plan = self.plan.with_chosen(dataset, self._chosen(dataset))
            wanted = self._wanted(range(self.n_seeds), ready)
            if wanted:  # a study that only searches has none: it is finished with its searches
                return wanted
        if self.finished or self._waiting or not self._all_ended(look_up):
            return []
        later = [look for look in self.plan.study.looks if look > self.n_seeds]
        if not later or not self.plan.arms or self._decided(self.plan, self.n_seeds):
            self.finished = True
            return []
        seeds, self.n_seeds = range(self.n_seeds, later[0]), later[0]
        return self._wanted(seeds, self.plan.study.datasets)

    def _has_chosen(self, dataset: str) -> bool:
        return all(phase.finished for phase in self._searches.values() if phase.dataset == dataset)

    def _chosen(self, dataset: str) -> dict[int, Mapping[str, Value]]:
        """Return the base of every design that waits for one, by its place in the study."""
        chosen: dict[int, Mapping[str, Value]] = {}
        for index, design in enumerate(self.plan.study.designs):
            if design.starts_from:
                chosen[index] = self._base_of(design.starts_from, dataset)
            elif design.search is not None and design.search is not design:
                chosen[index] = self._searches[dataset, index].chosen
        return chosen

    def _all_ended(self, look_up: LookUp) -> bool:
        while self._n_ended < len(self._trials) and look_up(self._trials[self._n_ended].spec.trial_id):
            self._n_ended += 1
        return self._n_ended == len(self._trials)

    def _wanted(self, seeds: range, datasets: Sequence[str]) -> list[PlannedTrial]:
        wanted = self.plan.confirm_trials(seeds, datasets)
        self._trials += wanted
        return wanted
