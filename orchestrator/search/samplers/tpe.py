"""Tree-structured Parzen estimators (Bergstra et al. 2011), as in Optuna, with less work for each ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.designs.search import Search
from orchestrator.search.kinds import SamplerKind

if TYPE_CHECKING:
    import optuna

__all__ = ["SAMPLER"]


def _make(search: Search, seed: int, n_startup: int) -> optuna.samplers.BaseSampler:
    from orchestrator.search.round_tpe import tpe_sampler

    return tpe_sampler(seed=seed, n_startup_trials=n_startup)


SAMPLER = SamplerKind(make=_make, begins_from_earlier=True, avoids_collapse=True)
