"""What a sampler's file and a pruner's file say of themselves: how it is made, and what it can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.designs.search import Search

if TYPE_CHECKING:
    import optuna

__all__ = ["PrunerKind", "SamplerKind"]


@dataclass(frozen=True, kw_only=True)
class SamplerKind:
    """`SAMPLER` of a file in `search/samplers`. Optuna is imported when a sampler is made, not before."""

    make: Callable[[Search, int, int], optuna.samplers.BaseSampler]
    """(search, seed, configurations drawn at random before it learns) -> a sampler of Optuna's."""
    most_objectives: int | None = None
    """None: any number."""
    begins_from_earlier: bool = False
    """Whether it learns from configurations that it did not ask for."""
    avoids_collapse: bool = False
    """Whether it keeps away from where configurations collapsed (a constraint in Optuna)."""
    asks_all: bool = False
    """Whether it is asked for a knob also where that has no effect: a sequence that fills the space is one over all."""
    prunes: bool = True
    """Whether configurations of it may be stopped early."""


@dataclass(frozen=True, kw_only=True)
class PrunerKind:
    """`PRUNER` of a file in `search/pruners`."""

    make: Callable[[Search], optuna.pruners.BasePruner]
