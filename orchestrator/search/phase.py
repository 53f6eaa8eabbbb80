"""The phases of a study: a search that asks in rounds, and confirmation that looks at growing numbers of seeds.

A phase is asked to `advance` whenever trials it waits for have settled; it answers with the trials it wants next.
It knows nothing of executors or the ledger: results reach it as `Settled` through a look-up by trial_id.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.designs.around import Around
from orchestrator.designs.search import Search
from orchestrator.errors import RequestError
from orchestrator.inference.selection import objective_metric
from orchestrator.knobs import Value, described
from orchestrator.plan.planning import Catalogue, PlannedArm, PlannedTrial, confirm_trials, planned_arms
from orchestrator.search.rounds import Proposal, SearchRounds, Told
from orchestrator.study import Study
from orchestrator.trial import SeedBlock, TrialSpec, TrialState

__all__ = ["ConfirmPhase", "SearchPhase", "Settled"]


@dataclass(frozen=True)
class Settled:
    """What is known of a trial that will not be trained again in this run."""

    state: TrialState
    collapsed: bool
    metrics: Mapping[str, float]
    curve: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    stages: str = ""
    """What it builds on that was made once, as its row has it."""


LookUp = Callable[[str], Settled | None]


class SearchPhase:
    """One search on one dataset."""

    def __init__(self, study: Study, search: Search, dataset: str, catalogue: Catalogue) -> None:
        self.study, self.search, self.dataset, self.catalogue = study, search, dataset, catalogue
        salt = catalogue.dataset(dataset, study.protocol).digest
        self.rounds = SearchRounds(search, catalogue.space(search.method), salt)
        self.trials: dict[int, list[PlannedTrial]] = {}
        self.finished = False
        self._under_way: deque[list[Proposal]] = deque()
        """Rounds that were asked and not told, the earliest first."""
        self._waiting: deque[str] = deque()
        """Trials of the earliest of them that are not known to have settled."""
        self._earlier: list[PlannedTrial] = []

    def begin_from(self, configurations: Sequence[Mapping[str, Value]], settled: LookUp) -> None:
        """Begin from earlier configurations, whose trials have settled."""
        found = self.rounds.begin_from(configurations)
        self._earlier = [trial for proposal in found for trial in self._planned(proposal)]
        self.rounds.tell([self._told(proposal, settled) for proposal in found])

    def specs(self, values: Mapping[str, Value]) -> list[TrialSpec]:
        """Return the trials of a configuration: one a search seed."""
        spec = self.catalogue.spec(self.study, self.search.method, values, self.dataset, self.search.n_epochs)
        return [replace(spec, seed=seed, seed_block=SeedBlock.SEARCH) for seed in range(self.search.n_seeds)]

    @property
    def open(self) -> list[Proposal]:
        """The proposals that were asked and not told."""
        return [proposal for asked in self._under_way for proposal in asked]

    def advance(self, settled: LookUp) -> list[PlannedTrial]:
        """Tell settled rounds, ask the next ones and return their trials; empty while trials are under way.

        Rounds are told one by one in the order in which they were asked, each just before the next one is asked,
        whenever their trials ended: what is asked depends on nothing else.
        """
        wanted, self._earlier = self._earlier, []
        while not wanted and not self.finished:
            full = len(self._under_way) > self.search.rounds_ahead or self.rounds.exhausted
            if full and self._under_way:
                while self._waiting and settled(self._waiting[0]):
                    self._waiting.popleft()
                if self._waiting:
                    break
                self.rounds.tell([self._told(proposal, settled) for proposal in self._under_way.popleft()])
                self._wait()
            while len(self._under_way) <= self.search.rounds_ahead and not self.rounds.exhausted:
                self._under_way.append(self.rounds.ask())
                wanted += [trial for proposal in self._under_way[-1] for trial in self._planned(proposal)]
                self._wait()
            self.finished = not self._under_way
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

    def _told(self, proposal: Proposal, settled: LookUp) -> Told:
        results = [settled(trial.spec.trial_id) for trial in self.trials[proposal.number]]
        known = [result for result in results if result is not None]
        states = {result.state for result in known}
        if states == {TrialState.COMPLETE}:
            objectives = tuple(
                mean([r.metrics.get(objective_metric(rule), math.nan) for r in known]) for rule in self.search.rules
            )
            collapsed = any(result.collapsed for result in known)
            return Told(number=proposal.number, state="complete", objectives=objectives, feasible=not collapsed)
        if TrialState.FAILED in states:
            return Told(number=proposal.number, state="failed", feasible=False)
        return Told(number=proposal.number, state="pruned", curve=self._curve(known))

    def _curve(self, known: Sequence[Settled]) -> dict[int, float]:
        metric = objective_metric(self.search.rule)
        epochs = set.intersection(*(set(result.curve) for result in known)) if known else set()
        return {epoch: mean([r.curve[epoch].get(metric, math.nan) for r in known]) for epoch in sorted(epochs)}


class ConfirmPhase:
    """The arms of every design of a study over confirm seeds, look by look.

    The first look of a dataset begins when its searches have chosen; later looks wait for all datasets, since the
    contrasts of a study are judged as one family.
    """

    def __init__(self, study: Study, searches: Mapping[str, Mapping[int, SearchPhase]], catalogue: Catalogue) -> None:
        self.study, self.searches, self.catalogue = study, searches, catalogue
        self.arms: list[PlannedArm] = []
        self.n_seeds = study.looks[0]
        self.finished = False
        self.decided: Callable[[int], bool] = lambda _: False
        """Set by the runner: whether every contrast of a sequential study is decided at a number of seeds."""
        self.base_of: Callable[[str, str], Mapping[str, Value]] | None = None
        """Set by the runner: what an earlier study chose on a dataset."""
        self._waiting = list(study.datasets)
        self._trials: list[PlannedTrial] = []
        self._n_settled = 0
        """So many of them, from the first on, are known to have settled: none is looked at again."""

    def advance(self, settled: LookUp) -> list[PlannedTrial]:
        """Return the trials that can be asked for now: datasets whose searches have chosen, or the next look."""
        ready = [d for d in self._waiting if all(search.finished for search in self.searches[d].values())]
        if ready:
            self._waiting = [dataset for dataset in self._waiting if dataset not in ready]
            arms = [arm for dataset in ready for arm in self._arms(dataset)]
            order = self.study.datasets.index  # whichever search ends first, the record has the study's order
            self.arms = sorted([*self.arms, *arms], key=lambda arm: order(arm.dataset))
            if arms:  # a study that only searches has none: it is finished with its searches
                return self._wanted(arms, range(self.n_seeds))
        if self.finished or self._waiting or not self._all_settled(settled):
            return []
        later = [look for look in self.study.looks if look > self.n_seeds]
        if not later or not self.arms or self.decided(self.n_seeds):
            self.finished = True
            return []
        seeds, self.n_seeds = range(self.n_seeds, later[0]), later[0]
        return self._wanted(self.arms, seeds)

    def _all_settled(self, settled: LookUp) -> bool:
        while self._n_settled < len(self._trials) and settled(self._trials[self._n_settled].spec.trial_id):
            self._n_settled += 1
        return self._n_settled == len(self._trials)

    def _wanted(self, arms: Sequence[PlannedArm], seeds: range) -> list[PlannedTrial]:
        wanted = list(confirm_trials(self.study, arms, seeds, self.catalogue))
        self._trials += wanted
        return wanted

    def _arms(self, dataset: str) -> list[PlannedArm]:
        found: list[PlannedArm] = []
        for index, design in enumerate(self.study.designs):
            if isinstance(design, Search):
                continue
            base: Mapping[str, Value] = {}
            if index in self.searches[dataset]:
                base = self.searches[dataset][index].chosen
            elif isinstance(design, Around) and isinstance(design.first, str):
                assert self.base_of is not None
                base = self.base_of(design.first, dataset)
            found += planned_arms(self.study, index, design, dataset, base, self.catalogue)
        return found


def mean(values: Sequence[float]) -> float:
    """Return the arithmetic mean; NaN if any value is, or there is none."""
    return sum(values) / len(values) if values else math.nan


def phases_of(study: Study, catalogue: Catalogue) -> tuple[list[SearchPhase], ConfirmPhase]:
    """Return the phases of a study: the searches of each dataset, and the confirmation that waits for them."""
    searches: dict[str, dict[int, SearchPhase]] = {}
    for dataset in study.datasets:
        searches[dataset] = {}
        for index, design in enumerate(study.designs):
            search = design if isinstance(design, Search) else getattr(design, "first", None)
            if isinstance(search, Search):
                searches[dataset][index] = SearchPhase(study, search, dataset, catalogue)
    found = [phase for own in searches.values() for phase in own.values()]
    return found, ConfirmPhase(study, searches, catalogue)
