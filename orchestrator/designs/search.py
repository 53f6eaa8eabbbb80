"""A search: configurations proposed by an Optuna sampler, compared by a rule on seeds of the `search` block."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from orchestrator import discovery
from orchestrator.allowed import allowed, many, one_of, optional, text, whole
from orchestrator.designs.base import BASE, METHOD, Arm, Contrast, Design
from orchestrator.designs.screening import OVER, Ranges, narrowed_ranges
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.inference.objectives import DIRECTIONS, Objective, objectives_of
from orchestrator.knobs import Domain, Knob, Value, described, value_at
from orchestrator.own.declared import declaration_of, metrics_from

__all__ = ["Search", "search"]

MOST = 100_000
"""Configurations, seeds, rounds."""

MOST_EPOCHS = 1_000_000

RULES = many(
    text("the name of a selection rule or of a metric"),
    "a selection rule, a metric that the method reports, or several; the default is 'neighbour_mi'",
    least=1,
)
ENDS = many(one_of(("", *DIRECTIONS), "direction"), "'maximize' or 'minimize' for each objective ('': as it is known)")


@dataclass(frozen=True, kw_only=True)
class Search(Design):
    """An adaptive design; see `search`."""

    kind: ClassVar[str] = "search"

    method: str = field(metadata=allowed(METHOD))
    over: Ranges = field(metadata=allowed(OVER))
    n_configurations: int = field(default=48, metadata=allowed(whole(1, MOST)))
    n_seeds: int = field(default=3, metadata=allowed(whole(1, MOST)))
    round_size: int = field(default=16, metadata=allowed(whole(1, MOST)))
    rounds_ahead: int = field(default=0, metadata=allowed(whole(0, MOST)))
    """How many rounds may run ahead of the oldest unfinished one."""
    warm_start: int = field(default=0, metadata=allowed(whole(0, MOST)))
    """From how many earlier configurations of the ledger it begins, at most (`orchestrator.search.warm_start`)."""
    rules: tuple[str, ...] = field(default=("neighbour_mi",), metadata=allowed(RULES))
    directions: tuple[str, ...] = field(default=(), metadata=allowed(ENDS))
    """Which end of each objective is better; empty, or '' of one of them: as its metric's file says."""
    sampler: str = field(default="tpe", metadata=allowed(text("the name of a sampler")))
    pruner: str = field(default="none", metadata=allowed(text("the name of a pruner")))
    base: Mapping[str, Value] = field(default_factory=dict, metadata=allowed(BASE))
    n_epochs: int | None = field(default=None, metadata=allowed(optional(whole(1, MOST_EPOCHS))))

    def __post_init__(self) -> None:
        """Check the fields, and that there is something to search and a rule to choose by.

        Raises:
            RequestError: one line that names the value and what is allowed.
        """
        super().__post_init__()
        if not self.over:
            raise RequestError(f"the search over {self.method} is empty; name at least one knob")
        try:
            assert self.objectives
        except UnknownNameError as error:
            more = "; any number that the method reports will do too, with direction='maximize' or 'minimize'"
            raise RequestError(f"{error}{more}") from None

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What the search goes by: the first one chooses and prunes, further ones are traded against it."""
        own = declaration_of(self.method)
        declared = {} if own is None else metrics_from(own.metrics, discovery.metrics())
        return objectives_of(self.rules, self.directions, declared)

    @property
    def metrics(self) -> list[str]:
        """What each objective looks at, in order."""
        return [objective.metric for objective in self.objectives]

    @property
    def most_arms(self) -> int:
        """None: what it asks for follows from results."""
        return 0

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
            RequestError: a range of another kind, or outside the knob's domain.
        """
        return narrowed_ranges(self.over, space, self.method)

    def ranges(self, space: Mapping[str, Knob]) -> dict[str, dict[str, object]]:
        """Return `domains` as records have them."""
        return {name: described(domain) for name, domain in self.domains(space).items()}

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
    """Search knobs of a method by a label-free rule, or by any number that the method reports.

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
        rule: a label-free selection rule, an `oracle_` one, the name of a metric, or several (the first one chooses).
        options: `direction` ("maximize" or "minimize"; of several objectives a tuple, '' where it is known), and
            `sampler`, `pruner`, `round_size`, `rounds_ahead`, `warm_start`, `n_epochs` of `Search`.
    """
    names = ("direction", "sampler", "pruner", "round_size", "rounds_ahead", "warm_start", "n_epochs")
    for name in options:
        if name not in names:
            raise UnknownNameError("option of search", name, names)
    direction = options.pop("direction", ())
    return Search(
        method=method,
        over=over,  # type: ignore[arg-type]  # becomes a dict
        n_configurations=n_configurations,
        n_seeds=n_seeds,
        base={} if base is None else base,
        rules=(rule,) if isinstance(rule, str) else rule,
        directions=(direction,) if isinstance(direction, str) else direction,  # type: ignore[arg-type]  # checked there
        **options,  # type: ignore[arg-type]  # names are checked above, values by the fields' rules
    )
