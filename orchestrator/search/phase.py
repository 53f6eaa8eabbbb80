"""One search of a study on one dataset: it is told what its trials gave, and asks for the next rounds.

It is asked to `advance` whenever trials that it waits for have ended, and answers with the trials that it wants next.
It knows nothing of executors or the ledger: results reach it as `TrialResult` through a look-up by trial_id.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from orchestrator.designs.search import Search
from orchestrator.errors import RequestError
from orchestrator.knobs import Value
from orchestrator.plan.plan import Plan
from orchestrator.plan.trials import LookUp, PlannedTrial, TrialResult
from orchestrator.search.replay import KnownConfigurations
from orchestrator.trial import TrialSpec, TrialState

if TYPE_CHECKING:
    from orchestrator.search.rounds import Proposal, Told

__all__ = ["SearchPhase", "mean", "shared_epochs"]


class SearchPhase:
    """One search on one dataset.

    Args:
        plan: of the study that asks for it.
        search: the search.
        dataset: the dataset's reference.
        known: configurations that the ledger has of it, so that a replay finds them again.
        salt: what tells its draws from those of others; empty: the dataset's inputs, whatever labels they have.
    """

    def __init__(
        self, plan: Plan, search: Search, dataset: str, known: KnownConfigurations | None = None, salt: str = ""
    ) -> None:
        from orchestrator.search.rounds import SearchRounds  # Optuna: not met by studies that search nothing

        self.search, self.dataset, self._plan = search, dataset, plan
        salt = salt or plan.catalogue.dataset(dataset, plan.study.protocol).inputs_digest
        self.rounds = SearchRounds(search, plan.catalogue.space(search.method), salt, known, plan.catalogue.plugins)
        self.trials: dict[int, list[PlannedTrial]] = {}
        self.finished = False
        self._under_way: deque[list[Proposal]] = deque()
        """Rounds that were asked and not told, the earliest first."""
        self._waiting: deque[str] = deque()
        """Trials of the earliest of them that have not ended, as far as is known."""
        self._earlier: list[PlannedTrial] = []

    def begin_from(self, configurations: Sequence[Mapping[str, Value]], look_up: LookUp) -> None:
        """Begin from earlier configurations, whose trials have ended."""
        found = self.rounds.begin_from(configurations)
        self._earlier = self._planned(found)
        self._tell(found, look_up)

    def specs(self, values: Mapping[str, Value]) -> list[TrialSpec]:
        """Return the trials of a configuration: one for each search seed."""
        return self._plan.search_trials(self.search, self.dataset, values)

    @property
    def open(self) -> list[Proposal]:
        """The proposals that were asked and not told."""
        return list(chain.from_iterable(self._under_way))

    def trial_ids(self, number: int) -> list[str]:
        """Return the trials of a configuration, by its number: one for each search seed."""
        return [trial.spec.trial_id for trial in self.trials[number]]

    def advance(self, look_up: LookUp) -> list[PlannedTrial]:
        """Tell rounds that have ended, ask the next ones and return their trials; empty while trials are under way.

        Rounds are told one by one in the order in which they were asked, each just before the next one is asked,
        whenever their trials ended: what is asked depends on nothing else.
        """
        wanted, self._earlier = self._earlier, []
        while not wanted and not self.finished:
            full = len(self._under_way) > self.search.rounds_ahead or self.rounds.exhausted
            if full and self._under_way and not self._tell_oldest(look_up):
                break
            wanted += self._ask_next()
            self.finished = not self._under_way
        return wanted

    def _tell_oldest(self, look_up: LookUp) -> bool:
        """Tell the earliest round that is under way; returns False if some of its trials have not ended."""
        while self._waiting and look_up(self._waiting[0]):
            self._waiting.popleft()
        if self._waiting:
            return False
        self._tell(self._under_way.popleft(), look_up)
        self._wait()
        return True

    def _ask_next(self) -> list[PlannedTrial]:
        """Ask rounds until as many are under way as may be; returns their trials."""
        wanted: list[PlannedTrial] = []
        while len(self._under_way) <= self.search.rounds_ahead and not self.rounds.exhausted:
            self._under_way.append(self.rounds.ask())
            wanted += self._planned(self._under_way[-1])
            self._wait()
        return wanted

    def _wait(self) -> None:
        self._waiting.clear()
        for proposal in self._under_way[0] if self._under_way else ():
            self._waiting += self.trial_ids(proposal.number)

    @property
    def chosen(self) -> Mapping[str, Value]:
        """The configuration that the rule chose.

        Raises:
            RequestError: every configuration failed or collapsed.
        """
        best = self.rounds.best()
        if best is None:
            raise RequestError(
                f"the search over {self.search.method} on {self.dataset} found no configuration that neither failed "
                "nor collapsed; widen its ranges or raise its epochs"
            )
        return best.values

    @property
    def n_trials(self) -> int:
        """Trials of the whole search."""
        return (self.search.n_configurations + self.rounds.n_earlier) * self.search.n_seeds

    def record(self) -> dict[str, object]:
        """Return the search's entry in study.json."""
        best = self.rounds.best()
        return {
            "method": self.search.method,
            "dataset": self.dataset,
            "rules": list(self.search.rules),
            "directions": [objective.direction for objective in self.search.objectives],
            "sampler": self.search.sampler,
            "pruner": self.search.pruner,
            "n_configurations": self.search.n_configurations,
            "n_seeds": self.search.n_seeds,
            "round_size": self.search.round_size,
            "rounds_ahead": self.search.rounds_ahead,
            "warm_start": self._began_from(),
            "space": self.search.ranges(self.rounds.space),
            "chosen": None if best is None else dict(best.values),
            "chosen_number": None if best is None else best.number,
            "history": [self._entry(told) for _, told in sorted(self.rounds.told.items())],
        }

    def _entry(self, told: Told) -> dict[str, object]:
        """Return what the search's history says of a configuration that was told."""
        entry: dict[str, object] = {
            "number": told.number,
            "values": dict(self.rounds.proposals[told.number].values),
            "objective": None if told.objectives is None else list(told.objectives),
            "state": told.state,
            "feasible": told.feasible,
            "trial_ids": self.trial_ids(told.number),
        }
        return {**entry, "warm_start": True} if told.number < self.rounds.n_earlier else entry

    def _began_from(self) -> dict[str, object] | None:
        if not self.search.warm_start:
            return None
        earlier = [self.trial_ids(number) for number in range(self.rounds.n_earlier)]
        return {"at_most": self.search.warm_start, "trial_ids": earlier}

    def _planned(self, proposals: Iterable[Proposal]) -> list[PlannedTrial]:
        """Note the trials of new configurations, and return them."""
        planned: list[PlannedTrial] = []
        for proposal in proposals:
            arm, number = f"{self.search.method} #{proposal.number} @ {self.dataset}", proposal.number
            self.trials[number] = []
            for spec in self.specs(proposal.values):
                trial = PlannedTrial(spec=spec, arm=arm, role="search", phase="search", configuration=number)
                self.trials[number].append(trial)
            planned += self.trials[number]
        return planned

    def _tell(self, proposals: Iterable[Proposal], look_up: LookUp) -> None:
        self.rounds.tell([self._told(proposal, look_up) for proposal in proposals])

    def _told(self, proposal: Proposal, look_up: LookUp) -> Told:
        from orchestrator.search.rounds import Told

        ended = []
        for trial_id in self.trial_ids(proposal.number):
            result = look_up(trial_id)
            if result is not None:
                ended.append(result)
        states = {result.state for result in ended}
        if states == {TrialState.COMPLETE}:
            collapsed = any(result.collapsed for result in ended)
            return Told(
                number=proposal.number, state="complete", objectives=self._objectives(ended), feasible=not collapsed
            )
        if TrialState.FAILED in states:
            return Told(number=proposal.number, state="failed", feasible=False)
        return Told(number=proposal.number, state="pruned", curve=self._curve(ended))

    def _objectives(self, ended: Sequence[TrialResult]) -> tuple[float, ...]:
        """Return the mean over seeds of what each rule looks at."""
        means = []
        for metric in self.search.metrics:
            means.append(mean([result.metrics.get(metric, math.nan) for result in ended]))
        return tuple(means)

    def _curve(self, ended: Sequence[TrialResult]) -> dict[int, float]:
        metric = self.search.metrics[0]
        curve = {}
        for epoch in shared_epochs([result.curve for result in ended]):
            curve[epoch] = mean([result.curve[epoch].get(metric, math.nan) for result in ended])
        return curve


def mean(values: Sequence[float]) -> float:
    """Return the arithmetic mean; NaN if any value is, or there is none."""
    return sum(values) / len(values) if values else math.nan


def shared_epochs(curves: Sequence[Mapping[int, object]]) -> list[int]:
    """Return the epochs that all curves have, in order; without a curve there is none."""
    shared = set(curves[0]) if curves else set()
    for curve in curves:
        shared.intersection_update(curve)
    return sorted(shared)
