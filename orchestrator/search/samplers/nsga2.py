"""NSGA-II (Deb et al. 2002), as in Optuna; a generation is a round."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.designs.search import Search
from orchestrator.search.kinds import SamplerKind

if TYPE_CHECKING:
    import optuna

__all__ = ["SAMPLER"]


def _make(search: Search, seed: int, n_startup: int) -> optuna.samplers.BaseSampler:
    import optuna

    return optuna.samplers.NSGAIISampler(seed=seed, population_size=search.round_size)


SAMPLER = SamplerKind(make=_make, avoids_collapse=True, prunes=False)
