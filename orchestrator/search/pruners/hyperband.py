"""Hyperband (Li et al. 2018), as in Optuna."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.designs.search import Search
from orchestrator.search.kinds import PrunerKind

if TYPE_CHECKING:
    import optuna

__all__ = ["PRUNER"]


def _make(search: Search) -> optuna.pruners.BasePruner:
    import optuna

    return optuna.pruners.HyperbandPruner()


PRUNER = PrunerKind(make=_make)
