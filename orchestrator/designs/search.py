"""A search: configurations proposed by an Optuna sampler, compared by a rule on seeds of the `search` block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.inference.selection import objective_metric
from orchestrator.knobs import Domain, Float, Int, Knob, Value

__all__ = ["Search", "search"]

SamplerName: TypeAlias = Literal["tpe", "gp", "cmaes", "nsga2", "qmc", "random"]
PrunerName: TypeAlias = Literal["none", "halving", "hyperband", "median"]

LEARNING: tuple[str, ...] = ("tpe", "gp")
"""Samplers that learn from configurations that they did not ask for."""

LEAST = {"n_configurations": 1, "n_seeds": 1, "round_size": 1, "rounds_ahead": 0, "warm_start": 0}

SAMPLERS: tuple[str, ...] = ("tpe", "gp", "cmaes", "nsga2", "qmc", "random")
PRUNERS: tuple[str, ...] = ("none", "halving", "hyperband", "median")


@dataclass(frozen=True, kw_only=True)
class Search:
    """An adaptive design; see `search`. It is answered by `samplers`, not by `arms`."""

    method: str
    over: Mapping[str, Domain | None]
    n_configurations: int = 48
    n_seeds: int = 3
    round_size: int = 16
    rounds_ahead: int = 0
    """How many more rounds are asked while one is under way: one is asked when the one so many before it was told."""
    warm_start: int = 0
    """From how many earlier configurations of the ledger it begins, at most (`orchestrator.search.warm_start`)."""
    rules: tuple[str, ...] = ("neighbour_mi",)
    sampler: SamplerName = "tpe"
    pruner: PrunerName = "none"
    base: Mapping[str, Value] = field(default_factory=dict)
    n_epochs: int | None = None

    @property
    def knobs(self) -> tuple[str, ...]:
        """The searched knobs."""
        return tuple(self.over)

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
        if self.sampler not in SAMPLERS:
            raise RequestError(f"unknown sampler {self.sampler!r}; there are: {', '.join(SAMPLERS)}")
        if self.pruner not in PRUNERS:
            raise RequestError(f"unknown pruner {self.pruner!r}; there are: {', '.join(PRUNERS)}")
        if self.pruner != "none" and self.sampler == "nsga2":
            raise RequestError("sampler 'nsga2' cannot prune; use pruner 'none'")
        self._check_rules()
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                value = getattr(self, name)
                raise RequestError(f"search {name} = {value!r} is not allowed; it is a whole number from {least}")
        if self.warm_start and self.sampler not in LEARNING:
            raise RequestError(
                f"sampler {self.sampler!r} does not learn from earlier configurations; warm_start takes tpe or gp"
            )

    def _check_rules(self) -> None:
        if not self.rules:
            raise RequestError(f"the search over {self.method} has no rule; the default is 'neighbour_mi'")
        for rule in self.rules:
            objective_metric(rule)
        several = len(self.rules) > 1
        if several and self.sampler == "cmaes":
            raise RequestError(f"sampler 'cmaes' takes one objective, not {len(self.rules)}; use tpe, gp or nsga2")


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
