"""A Gaussian process with expected improvement, as in Optuna."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.designs.search import Search
from orchestrator.search.kinds import SamplerKind

if TYPE_CHECKING:
    import optuna

__all__ = ["SAMPLER"]


def _make(search: Search, seed: int, n_startup: int) -> optuna.samplers.BaseSampler:
    import optuna

    return optuna.samplers.GPSampler(seed=seed, n_startup_trials=n_startup)


SAMPLER = SamplerKind(make=_make, begins_from_earlier=True, avoids_collapse=True)
