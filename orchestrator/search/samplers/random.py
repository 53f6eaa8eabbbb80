"""Independent draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.designs.search import Search
from orchestrator.search.kinds import SamplerKind

if TYPE_CHECKING:
    import optuna

__all__ = ["SAMPLER"]


def _make(search: Search, seed: int, n_startup: int) -> optuna.samplers.BaseSampler:
    import optuna

    return optuna.samplers.RandomSampler(seed=seed)


SAMPLER = SamplerKind(make=_make)
