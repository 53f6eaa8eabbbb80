"""Optuna by ask and tell, in rounds: a search that replays from the ledger to the same choice.

A round's configurations are asked together and told together, in the order of their numbers, and rounds are told in
theirs, each at its place between two asks. What is asked therefore depends on the told values alone, never on the
number of workers or on who finished first; after a kill, the same asks come again and the ledger answers those that had
been trained. Optuna's study lives in memory and is rebuilt that way.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import optuna
from optuna.distributions import CategoricalChoiceType

from orchestrator import discovery
from orchestrator.designs.search import Search
from orchestrator.errors import RequestError
from orchestrator.knobs import Choice, Domain, Float, Int, Knob, Value, canonical
from orchestrator.search.kinds import PrunerKind, SamplerKind
from orchestrator.search.replay import KnownConfigurations
from orchestrator.trial import digest
from orchestrator.values import as_text

__all__ = ["Proposal", "SearchRounds", "Told"]

EARLIER = "warm_start"
"""Marks, as a user attribute in Optuna's study, a configuration that the search began from."""

_STATES = {
    "complete": optuna.trial.TrialState.COMPLETE,
    "pruned": optuna.trial.TrialState.PRUNED,
    "failed": optuna.trial.TrialState.FAIL,
}


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A configuration that the sampler asks for; `number` counts from 0 over the search."""

    number: int
    values: Mapping[str, Value]
    """Canonical values of all knobs."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What became of a proposal. `objectives` is None unless complete; `curve` is epoch -> first objective."""

    number: int
    state: str
    objectives: tuple[float, ...] | None = None
    feasible: bool = True
    """False: collapsed on some seed; it never is the choice, and constrained samplers know."""
    curve: Mapping[int, float] = field(default_factory=dict)


class SearchRounds:
    """Asks an Optuna sampler for rounds of configurations; see the module's docstring.

    Args:
        search: the design.
        space: the method's knobs.
        salt: what tells this search from others with the same design (the dataset's digest).
        known: of the ledger; a proposal that differs from one of them in last bits alone is that one.
        plugins: folders with a user's own samplers and pruners.
    """

    def __init__(
        self,
        search: Search,
        space: Mapping[str, Knob],
        salt: str,
        known: KnownConfigurations | None = None,
        plugins: Sequence[str] = (),
    ) -> None:
        self.search, self.space = search, space
        self._sampler: SamplerKind = discovery.find("sampler", search.sampler, plugins).SAMPLER
        self._pruner: PrunerKind = discovery.find("pruner", search.pruner, plugins).PRUNER
        self._known = known or KnownConfigurations()
        self.domains = search.domains(space)
        self._searched = _parents_first(self.domains, space)
        self.seed = int(digest([salt, search.method, list(search.over), search.sampler], 4), 16)
        self._sign = search.objectives[0].sign
        logging.getLogger("optuna").setLevel(logging.ERROR)
        self.study = optuna.create_study(
            study_name=str(self.seed),  # Hyperband draws a trial's bracket by it; Optuna's own is another each time
            directions=[objective.direction for objective in search.objectives],
            sampler=self._sampler.make(search, self.seed, self._n_startup),
            pruner=self._pruner.make(search),
        )
        self.judged = self._judged()
        """What the pruner looks at: of several objectives a study of the first alone, since Optuna prunes by one."""
        self.told: dict[int, Told] = {}
        self.proposals: dict[int, Proposal] = {}
        self.n_earlier = 0
        """How many proposals, the first ones, are of the ledger and were not asked for."""
        self._open: dict[int, optuna.trial.Trial] = {}
        self._judges: dict[int, optuna.trial.Trial] = {}
        self._reported: set[tuple[int, int]] = set()

    @property
    def exhausted(self) -> bool:
        """Whether every configuration has been asked for."""
        return self._left <= 0

    @property
    def _left(self) -> int:
        return self.search.n_configurations - (len(self.proposals) - self.n_earlier)

    def ask(self) -> list[Proposal]:
        """Return the next round; empty when the search is exhausted. It depends on the rounds that have been told."""
        return [self._propose() for _ in range(min(self.search.round_size, self._left))]

    def fitting(self, config: Mapping[str, Value]) -> Mapping[str, Value] | None:
        """Return a configuration's canonical values if this search could have asked for it; else None."""
        values = dict(self.search.base)
        try:
            for name, domain in self._searched.items():
                if _holds(name, values, self.space):
                    values[name] = domain.accept(config[name])
            found = canonical(self.space, values, self.search.method)
            same = found == canonical(self.space, config, self.search.method)
        except (KeyError, ValueError, RequestError):
            return None
        return found if same else None

    def begin_from(self, configurations: Sequence[Mapping[str, Value]]) -> list[Proposal]:
        """Take earlier configurations as the first proposals, to be told before anything is asked (see `fitting`)."""
        found = []
        for values in configurations:
            given = {}
            for name, domain in self._searched.items():
                if _holds(name, values, self.space):
                    given[name] = _optunas(domain, values[name])
            self.study.enqueue_trial(given, user_attrs={EARLIER: True})
            found.append(self._propose())
        self.n_earlier = len(found)
        return found

    def tell(self, results: Sequence[Told]) -> None:
        """Tell a round, in the order of numbers. A NaN is told as a failure: Optuna would leave it running for ever."""
        for result in sorted(results, key=lambda told: told.number):
            trial, judge = self._open.pop(result.number), self._judges.pop(result.number)
            self.told[result.number] = result
            for epoch, value in result.curve.items():
                if math.isfinite(value):
                    self._report(judge, epoch, value)
            values = result.objectives
            if judge is not trial:
                first = values[0] if values and result.state == "complete" and math.isfinite(values[0]) else None
                state = _STATES["failed"] if result.state == "complete" else _STATES[result.state]
                self.judged.tell(judge, first, state=None if first is not None else state)
            if result.state == "complete" and (values is None or not all(map(math.isfinite, values))):
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
            elif result.state == "complete":
                if self._sampler.avoids_collapse:
                    trial.set_constraint("collapsed", 0.0 if result.feasible else 1.0)
                self.study.tell(trial, list(values or ()))
            else:
                self.study.tell(trial, state=_STATES[result.state])

    def should_prune(self, number: int, epoch: int, value: float) -> bool:
        """Report an intermediate value of an open proposal and return what the pruner says."""
        judge = self._judges.get(number)
        if judge is None or not math.isfinite(value):
            return False
        self._report(judge, epoch, value)
        return judge.should_prune()

    def _report(self, trial: optuna.trial.Trial, epoch: int, value: float) -> None:
        if (trial.number, epoch) not in self._reported:  # a replayed curve may repeat what the pruner was asked with
            self._reported.add((trial.number, epoch))
            trial.report(value, epoch)

    def best(self) -> Proposal | None:
        """Return the feasible proposal with the best first objective (ties: the earliest); None if there is none."""
        best: tuple[float, int] | None = None
        for told in self.told.values():
            if told.state == "complete" and told.feasible and told.objectives and math.isfinite(told.objectives[0]):
                key = (self._sign * told.objectives[0], -told.number)
                best = key if best is None else max(best, key)
        return None if best is None else self.proposals[-best[1]]

    def _propose(self) -> Proposal:
        trial = self.study.ask()
        values = dict(self.search.base)
        for name, domain in self._searched.items():
            if self._sampler.asks_all or _holds(name, values, self.space):
                values[name] = suggested(trial, name, domain)
        self._open[trial.number] = trial
        self._judges[trial.number] = trial if self.judged is self.study else self.judged.ask()
        asked = canonical(self.space, values, self.search.method)
        proposal = self.proposals[trial.number] = Proposal(number=trial.number, values=self._known.the_same(asked))
        return proposal

    def _judged(self) -> optuna.Study:
        if len(self.search.rules) == 1:
            return self.study
        sampler = optuna.samplers.RandomSampler(seed=self.seed)  # suggests nothing
        name = f"{self.seed} judged"
        direction = self.search.objectives[0].direction
        return optuna.create_study(
            study_name=name, direction=direction, sampler=sampler, pruner=self._pruner.make(self.search)
        )

    @property
    def _n_startup(self) -> int:
        """Configurations that are drawn before a sampler learns: a round, or half of the search if that is less."""
        return min(self.search.round_size, max(1, self.search.n_configurations // 2))


def _parents_first(domains: Mapping[str, Domain], space: Mapping[str, Knob]) -> dict[str, Domain]:
    """Return the domains so that a knob comes after those that its effect hangs on, in whatever order they were named.

    Asked for the other way round, the condition would be looked up at a value that the trial does not have.
    """
    found: dict[str, Domain] = {}

    def add(name: str) -> None:
        for other in space[name].when:
            if other in domains and other not in found:
                add(other)
        found.setdefault(name, domains[name])

    for name in domains:
        add(name)
    return found


def _holds(name: str, values: Mapping[str, Value], space: Mapping[str, Knob]) -> bool:
    return all(values.get(other, space[other].default) in allowed for other, allowed in space[name].when.items())


def suggested(trial: optuna.trial.Trial, name: str, domain: Domain) -> Value:
    """Return the value that Optuna suggests for a knob of a trial."""
    if isinstance(domain, Float):
        return trial.suggest_float(name, domain.low, domain.high, log=domain.log, step=domain.step)
    if isinstance(domain, Int):
        return trial.suggest_int(name, domain.low, domain.high, log=domain.log, step=domain.step or 1)
    assert isinstance(domain, Choice)
    if domain.ordered:
        return domain.options[trial.suggest_int(name, 0, len(domain.options) - 1)]
    options = {_optunas(domain, option): option for option in domain.options}
    return options[trial.suggest_categorical(name, list(options))]


def _optunas(domain: Domain, value: Value) -> CategoricalChoiceType:
    """Return a value as Optuna holds it: of an ordered choice its place, of a list its text."""
    if isinstance(domain, Choice) and domain.ordered:
        return domain.options.index(value)
    return as_text(value) if isinstance(value, tuple) else value
