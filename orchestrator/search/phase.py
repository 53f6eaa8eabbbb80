"""One search of a study on one dataset: it is told what its trials gave, and asks for the next rounds.

It is asked to `advance` whenever trials that it waits for have ended, and answers with the trials that it wants next.
It knows nothing of executors or the ledger: results reach it as `TrialResult` through a look-up by trial_id.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

from orchestrator.designs.search import Search
from orchestrator.errors import RequestError
from orchestrator.inference.selection import objective_metric
from orchestrator.knobs import Value, described
from orchestrator.plan.plan import Plan
from orchestrator.plan.trials import PlannedTrial
from orchestrator.search.replay import KnownConfigurations
from orchestrator.search.rounds import Proposal, SearchRounds, Told
from orchestrator.trial import SeedBlock, TrialSpec, TrialState
from orchestrator.trial_result import LookUp, TrialResult

__all__ = ["SearchPhase", "mean"]


class SearchPhase:
    """One search on one dataset.

    Args:
        plan: of the study that asks for it.
        search: the search.
        dataset: the dataset's reference.
        known: configurations that the ledger has of it, so that a replay finds them again.
    """

    def __init__(self, plan: Plan, search: Search, dataset: str, known: KnownConfigurations | None = None) -> None:
        self.search, self.dataset, self._plan = search, dataset, plan
        salt = plan.catalogue.dataset(dataset, plan.study.protocol).digest
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
        self._earlier = [trial for proposal in found for trial in self._planned(proposal)]
        self.rounds.tell([self._told(proposal, look_up) for proposal in found])

    def specs(self, values: Mapping[str, Value]) -> list[TrialSpec]:
        """Return the trials of a configuration: one for each search seed."""
        spec = self._plan.spec(self.search.method, values, self.dataset, self.search.n_epochs)
        return [replace(spec, seed=seed, seed_block=SeedBlock.SEARCH) for seed in range(self.search.n_seeds)]

    @property
    def open(self) -> list[Proposal]:
        """The proposals that were asked and not told."""
        return [proposal for asked in self._under_way for proposal in asked]

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
        self.rounds.tell([self._told(proposal, look_up) for proposal in self._under_way.popleft()])
        self._wait()
        return True

    def _ask_next(self) -> list[PlannedTrial]:
        """Ask rounds until as many are under way as may be; returns their trials."""
        wanted: list[PlannedTrial] = []
        while len(self._under_way) <= self.search.rounds_ahead and not self.rounds.exhausted:
            self._under_way.append(self.rounds.ask())
            for proposal in self._under_way[-1]:
                wanted += self._planned(proposal)
            self._wait()
        return wanted

    def _wait(self) -> None:
        first = self._under_way[0] if self._under_way else []
        self._waiting = deque(trial.spec.trial_id for proposal in first for trial in self.trials[proposal.number])

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
        history = [
            {
                "number": number,
                "values": dict(self.rounds.proposals[number].values),
                "objective": None if told.objectives is None else list(told.objectives),
                "state": told.state,
                "feasible": told.feasible,
                "trial_ids": [trial.spec.trial_id for trial in self.trials[number]],
                **({"warm_start": True} if number < self.rounds.n_earlier else {}),
            }
            for number, told in sorted(self.rounds.told.items())
        ]
        return {
            "method": self.search.method,
            "dataset": self.dataset,
            "rules": list(self.search.rules),
            "sampler": self.search.sampler,
            "pruner": self.search.pruner,
            "n_configurations": self.search.n_configurations,
            "n_seeds": self.search.n_seeds,
            "round_size": self.search.round_size,
            "rounds_ahead": self.search.rounds_ahead,
            "warm_start": self._began_from(),
            "space": {name: described(domain) for name, domain in self.rounds.domains.items()},
            "chosen": None if best is None else dict(best.values),
            "chosen_number": None if best is None else best.number,
            "history": history,
        }

    def _began_from(self) -> dict[str, object] | None:
        if not self.search.warm_start:
            return None
        earlier = [[trial.spec.trial_id for trial in self.trials[number]] for number in range(self.rounds.n_earlier)]
        return {"at_most": self.search.warm_start, "trial_ids": earlier}

    def _planned(self, proposal: Proposal) -> list[PlannedTrial]:
        self.trials[proposal.number] = [
            PlannedTrial(
                spec=spec,
                arm=f"{self.search.method} #{proposal.number} @ {self.dataset}",
                role="search",
                phase="search",
                configuration=proposal.number,
            )
            for spec in self.specs(proposal.values)
        ]
        return self.trials[proposal.number]

    def _told(self, proposal: Proposal, look_up: LookUp) -> Told:
        results = [look_up(trial.spec.trial_id) for trial in self.trials[proposal.number]]
        ended = [result for result in results if result is not None]
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
        metrics = [objective_metric(rule) for rule in self.search.rules]
        return tuple(mean([result.metrics.get(metric, math.nan) for result in ended]) for metric in metrics)

    def _curve(self, ended: Sequence[TrialResult]) -> dict[int, float]:
        metric = objective_metric(self.search.rule)
        epochs = set.intersection(*(set(result.curve) for result in ended)) if ended else set()
        return {
            epoch: mean([result.curve[epoch].get(metric, math.nan) for result in ended]) for epoch in sorted(epochs)
        }


def mean(values: Sequence[float]) -> float:
    """Return the arithmetic mean; NaN if any value is, or there is none."""
    return sum(values) / len(values) if values else math.nan
