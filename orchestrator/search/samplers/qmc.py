"""A scrambled Sobol sequence, as in Optuna: one over all searched knobs and all rounds."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from orchestrator.designs.search import Search
from orchestrator.search.kinds import SamplerKind

if TYPE_CHECKING:
    import optuna

__all__ = ["SAMPLER"]


def _make(search: Search, seed: int, n_startup: int) -> optuna.samplers.BaseSampler:
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # it has been so since Optuna 3
        return optuna.samplers.QMCSampler(seed=seed, scramble=True, warn_asynchronous_seeding=False)


SAMPLER = SamplerKind(make=_make, asks_all=True)
