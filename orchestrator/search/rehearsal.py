"""Samples the searches of a plan once before a run does: whether Optuna takes them, and what they ask for builds."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from orchestrator.designs.search import Search
from orchestrator.errors import OrchestratorError, RequestError
from orchestrator.plan.kept_facts import code_key, kept
from orchestrator.plan.plan import Plan
from orchestrator.plan.rehearsal import require_buildable, require_metric

__all__ = ["check_searches"]

MOST = 16
"""Proposals of the first round that are tried."""


def check_searches(plan: Plan) -> None:
    """Refuse a plan with a search that cannot be asked, or whose first configurations cannot be built.

    Raises:
        RequestError: names the search and says what Optuna or the method says.
    """
    catalogue, study = plan.catalogue, plan.study
    for dataset, _, search in plan.searches:
        found = kept(
            [
                "sampled",
                code_key("method", search.method, catalogue.plugins),
                code_key("sampler", search.sampler, catalogue.plugins),
                code_key("pruner", search.pruner, catalogue.plugins),
                catalogue.dataset(dataset, study.protocol).digest or "not here",
                _written(plan, search),
            ],
            lambda search=search, dataset=dataset: _first_round(plan, search, dataset),  # type: ignore[misc]
        )
        if "says" in found:
            raise RequestError(f"{study.called}: the search over {search.method} cannot be asked: {found['says']}")
        specs = {}
        for number, values in enumerate(found["asked"]):
            called = f"configuration {number} of the search over {search.method}"
            specs[called] = plan.spec(search.method, values, dataset, search.n_epochs)
        require_buildable(specs, catalogue, study.called)
        for metric in search.metrics:
            require_metric(metric, specs.values(), catalogue, f"the search of {study.called}")


def _first_round(plan: Plan, search: Search, dataset: str) -> dict[str, Any]:
    from orchestrator.search.phase import SearchPhase

    try:
        first = replace(search, n_configurations=min(search.n_configurations, MOST))
        asked = SearchPhase(plan, first, dataset).rounds.ask()
    except Exception as error:  # a sampler or a pruner of Optuna's, or of somebody's own
        found = str(error) if isinstance(error, OrchestratorError) else f"{type(error).__name__}: {error}"
        return {"says": " ".join(found.split())}
    return {"asked": [dict(proposal.values) for proposal in asked]}


def _written(plan: Plan, search: Search) -> dict[str, Any]:
    """Return all of a search that its first round follows from."""
    return asdict(search) | {"over": search.ranges(plan.catalogue.space(search.method))}
