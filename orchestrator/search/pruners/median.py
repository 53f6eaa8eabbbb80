"""Stops what is below the median of earlier configurations at the same epoch, as in Optuna."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.designs.search import Search
from orchestrator.search.kinds import PrunerKind

if TYPE_CHECKING:
    import optuna

__all__ = ["PRUNER"]


def _make(search: Search) -> optuna.pruners.BasePruner:
    import optuna

    return optuna.pruners.MedianPruner(n_warmup_steps=1)


PRUNER = PrunerKind(make=_make)
