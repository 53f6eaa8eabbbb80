"""A search: configurations proposed by an Optuna sampler, compared by a rule on seeds of the `search` block."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from orchestrator import discovery
from orchestrator.designs.base import Arm, Contrast, Design
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.inference.selection import objective_metric
from orchestrator.knobs import Domain, Float, Int, Knob, Value, value_at

__all__ = ["Search", "search"]

LEAST = {"n_configurations": 1, "n_seeds": 1, "round_size": 1, "rounds_ahead": 0, "warm_start": 0}


@dataclass(frozen=True, kw_only=True)
class Search(Design):
    """An adaptive design; see `search`."""

    kind: ClassVar[str] = "search"

    method: str
    over: Mapping[str, Domain | None]
    n_configurations: int = 48
    n_seeds: int = 3
    round_size: int = 16
    rounds_ahead: int = 0
    """How many rounds may run ahead of the oldest unfinished one."""
    warm_start: int = 0
    """From how many earlier configurations of the ledger it begins, at most (`orchestrator.search.warm_start`)."""
    rules: tuple[str, ...] = ("neighbour_mi",)
    sampler: str = "tpe"
    pruner: str = "none"
    base: Mapping[str, Value] = field(default_factory=dict)
    n_epochs: int | None = None

    @property
    def knobs(self) -> tuple[str, ...]:
        """The searched knobs."""
        return tuple(self.over)

    @property
    def search(self) -> Search:
        """The design itself."""
        return self

    def arms(self, space: Mapping[str, Knob], base: Mapping[str, Value]) -> tuple[Arm, ...]:
        """Return nothing: what a search asks for follows from results (`orchestrator.search`)."""
        return ()

    def contrasts(self, arms: Sequence[Arm]) -> tuple[Contrast, ...]:
        """Return nothing."""
        return ()

    def with_base(self, values: Mapping[str, Value]) -> Search:
        """Return the search with `values` on top of what it sets for all configurations."""
        return replace(self, base={**self.base, **values})

    def with_search(self, change: Callable[[Search], Search]) -> Search:
        """Return the search changed."""
        return change(self)

    def stand_in(self, space: Mapping[str, Knob]) -> dict[str, Value]:
        """Return values that the search might choose: inside its ranges, no round number that a level could equal."""
        return {name: value_at(domain, 0.61803) for name, domain in self.domains(space).items()}

    @property
    def rule(self) -> str:
        """The selection rule that chooses; further rules are objectives beside it."""
        return self.rules[0]

    def domains(self, space: Mapping[str, Knob]) -> dict[str, Domain]:
        """Return the searched domains: as given, or the knob's own; a narrower one must lie inside.

        Raises:
            UnknownNameError: a knob that the method does not have.
            RequestError: a range outside the knob's domain, or a budget that cannot be spent.
        """
        found: dict[str, Domain] = {}
        for name, given in self.over.items():
            if name not in space:
                raise UnknownNameError(f"knob of {self.method}", name, space)
            own = space[name].domain
            if given is not None:
                for end in given.ends():
                    try:
                        own.accept(end)
                    except ValueError:
                        raise RequestError(
                            f"the search range of {self.method}.{name} ends at {end!r}, outside its domain: {own}"
                        ) from None
            found[name] = _without_extra(given if given is not None else own)
        return found

    def check(self) -> None:
        """Refuse a search that could not choose.

        Raises:
            RequestError: one line that names the value and what is allowed.
        """
        if not self.over:
            raise RequestError(f"the search over {self.method} is empty; name at least one knob")
        self._check_rules()
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                value = getattr(self, name)
                raise RequestError(f"search {name} = {value!r} is not allowed; it is a whole number from {least}")

    def check_kinds(self, plugins: Sequence[str] = ()) -> None:
        """Refuse an unknown sampler or pruner, and what the sampler cannot do.

        Args:
            plugins: folders with a user's own samplers and pruners.

        Raises:
            UnknownNameError: there is no such sampler or pruner.
            RequestError: says what the sampler cannot do.
        """
        sampler = discovery.find("sampler", self.sampler, plugins).SAMPLER
        discovery.find("pruner", self.pruner, plugins)
        if self.pruner != "none" and not sampler.prunes:
            raise RequestError(f"sampler {self.sampler!r} cannot prune; use pruner 'none'")
        most = sampler.most_objectives
        if most is not None and len(self.rules) > most:
            raise RequestError(
                f"sampler {self.sampler!r} takes at most {most} of {len(self.rules)} objectives; use tpe, gp or nsga2"
            )
        if self.warm_start and not sampler.begins_from_earlier:
            raise RequestError(
                f"sampler {self.sampler!r} does not learn from earlier configurations; warm_start takes tpe or gp"
            )

    def _check_rules(self) -> None:
        if not self.rules:
            raise RequestError(f"the search over {self.method} has no rule; the default is 'neighbour_mi'")
        for rule in self.rules:
            objective_metric(rule)


def _without_extra(domain: Domain) -> Domain:
    if isinstance(domain, Float):
        return Float(domain.low, domain.high, domain.log)
    if isinstance(domain, Int):
        return Int(domain.low, domain.high, domain.log)
    return domain


def search(
    method: str,
    over: Mapping[str, Domain | None] | tuple[str, ...],
    *,
    n_configurations: int = 48,
    n_seeds: int = 3,
    base: Mapping[str, Value] | None = None,
    rule: str | tuple[str, ...] = "neighbour_mi",
    **options: object,
) -> Search:
    """Search knobs of a method by a label-free rule.

    Rounds of `round_size` configurations are asked and told together, so that the search does not depend on the
    number of workers or on who finished first, and replays from the ledger to the same choice. With `rounds_ahead`,
    so many more rounds are under way at a time (small rounds and many of them keep hundreds of workers busy: no worker
    waits for the slowest of all, and what is asked knows of all but the last `round_size` x (1 + `rounds_ahead`)).

    Args:
        method: the method's name.
        over: the knobs, with a narrower range each if wanted.
        n_configurations: configurations in all; each is trained on `n_seeds` seeds of the `search` block.
        n_seeds: search seeds a configuration.
        base: values of other knobs.
        rule: a label-free selection rule, or an `oracle_` one, or several objectives (the first one chooses).
        options: `sampler`, `pruner`, `round_size`, `rounds_ahead`, `warm_start`, `n_epochs` of `Search`.
    """
    knobs = dict.fromkeys(over) if isinstance(over, tuple) else dict(over)
    rules = (rule,) if isinstance(rule, str) else tuple(rule)
    allowed = ("sampler", "pruner", "round_size", "rounds_ahead", "warm_start", "n_epochs")
    for name in options:
        if name not in allowed:
            raise UnknownNameError("option of search", name, allowed)
    found = Search(
        method=method,
        over=knobs,
        n_configurations=n_configurations,
        n_seeds=n_seeds,
        base=dict(base or {}),
        rules=rules,
        **options,  # type: ignore[arg-type]  # names are checked above, values by check()
    )
    found.check()
    return found
