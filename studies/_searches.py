"""What the searches over the sensitive knobs share: data, budget, and the same search at the paper's tier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from orchestrator.designs.search import Search, search
from orchestrator.knobs import Domain
from orchestrator.study import Tier
from studies._settings import CLOTHES_1000, SECONDS, Settings, quick, without

__all__ = ["AT_EQUAL_TUNING", "at_equal_tuning", "of_the_paper"]

AT_EQUAL_TUNING: Mapping[str, Any] = {
    "datasets": (CLOTHES_1000,),
    "n_epochs": 40,
    "metric": "nmi",
    "exploratory": True,
}
"""Fields of `Study` that a search which `which_method_at_equal_tuning` starts from must not choose for itself."""


def at_equal_tuning(method: str, over: Mapping[str, Domain], settings: Settings) -> Search:
    """Return a search of the budget that every method gets; what is searched is left out of the settings."""
    base = without(settings, *over)
    return search(method, over, n_configurations=24, n_seeds=2, round_size=8, base=base)


def of_the_paper(
    found: Search, settings: Settings, dataset: str, n_epochs: int, protocol: Literal["whole", "split"] = "whole"
) -> dict[str, Tier]:
    """Return the tiers of a search: on digits, and on the paper's data with its settings, epochs and protocol."""
    method = found.method
    tier = Tier(
        datasets=(dataset,),
        n_epochs=n_epochs,
        protocol=protocol,
        base={method: without(settings, *found.over)},
        epoch_seconds={method: SECONDS[method]},
    )
    return {"quick": quick("digits:subset=1000"), "paper": tier}
