"""Tries what a plan asks of its methods before a run does: each configuration is built once on a few points.

The outcome follows from the code, the data and the configurations alone, and is kept by them: a plan that was tried
before imports no method.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from orchestrator import discovery
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.kept_facts import code_key, kept
from orchestrator.trial import SeedBlock, TrialSpec, canonical_json

__all__ = ["bytes_kept", "check_methods", "require_buildable", "require_metric"]

MOST = 64
"""Configurations of one method on one dataset that are tried: all of most plans; of a larger one, evenly many."""


def check_methods(named: Mapping[str, TrialSpec], metric: str, catalogue: Catalogue, who: str) -> None:
    """Refuse configurations of which one cannot be built, or none gives a metric.

    Args:
        named: what a message calls a configuration -> its spec.
        metric: that all of them are wanted for.
        catalogue: methods and datasets.
        who: asks for them.

    Raises:
        RequestError: names the configuration and says what its method says.
    """
    require_buildable(named, catalogue, who)
    require_metric(metric, named.values(), catalogue, who)


def require_buildable(named: Mapping[str, TrialSpec], catalogue: Catalogue, who: str) -> None:
    """Refuse configurations that cannot be built, of data that are here.

    Args:
        named: what a message calls a configuration -> its spec.
        catalogue: methods and datasets.
        who: asks for them.

    Raises:
        RequestError: names the configuration and says what its method says.
    """
    groups: dict[tuple[str, str, str], dict[str, str]] = {}
    specs: dict[str, TrialSpec] = {}
    for name, spec in named.items():
        if spec.dataset_digest and not spec.declaration:  # what a script does nobody can try on a few points
            key = canonical_json([dict(spec.config), spec.n_epochs, spec.precision])
            groups.setdefault((spec.method, spec.dataset, spec.protocol), {}).setdefault(key, name)
            specs.setdefault(name, spec)
    for (method, dataset, protocol), configurations in groups.items():
        tried = _evenly(list(configurations.items()))
        digest = specs[tried[0][1]].dataset_digest
        wrong = kept(
            ["built", code_key("method", method, catalogue.plugins), digest, dataset, protocol, [k for k, _ in tried]],
            lambda tried=tried: _first_problem([specs[name] for _, name in tried], catalogue),  # type: ignore[misc]
        )
        if wrong:
            name = tried[wrong["place"]][1]
            raise RequestError(f"{who}: {name!r} on {dataset} cannot be trained: {wrong['says']}")


def require_metric(metric: str, specs: Iterable[TrialSpec], catalogue: Catalogue, who: str) -> None:
    """Refuse a metric that is no declared one, and that no method gives.

    Raises:
        UnknownNameError: names those that there are.
    """
    declared = discovery.metrics(catalogue.plugins)
    if metric in declared:
        if declared[metric].reads_labels:
            _require_labels(metric, specs, catalogue, who)
        return
    given: set[str] = set()
    for method, spec in {spec.method: spec for spec in specs if spec.dataset_digest}.items():
        if spec.declaration:
            return
        code = code_key("method", method, catalogue.plugins)
        config = [dict(spec.config), spec.precision]
        names = kept(
            ["measured", code, spec.dataset_digest, spec.dataset, spec.protocol, config],
            lambda spec=spec: _measured(spec, catalogue),  # type: ignore[misc]
        )
        if names is None:
            return  # the first bundle will tell
        given.update(names)
    if metric not in given:
        raise UnknownNameError(f"metric of {who}", metric, {*declared, *given})


def bytes_kept(spec: TrialSpec, catalogue: Catalogue) -> float | None:
    """Return about how many bytes a study keeps of a trial; None: it takes the trial to know."""
    if not spec.dataset_digest or spec.declaration:
        return None
    code = code_key("method", spec.method, catalogue.plugins)
    known = ["kept bytes", code, spec.dataset_digest, spec.dataset, spec.protocol, dict(spec.config), spec.precision]
    found: float | None = kept(known, lambda: _kept_bytes(spec, catalogue))
    return found


def _kept_bytes(spec: TrialSpec, catalogue: Catalogue) -> float | None:
    method = discovery.method(spec.method, catalogue.plugins)
    data = discovery.load_dataset(spec.dataset, spec.protocol, catalogue.plugins)
    found: float | None = discovery.rehearsal().kept_bytes(method, _first_seed(spec), data)
    return found


def _require_labels(metric: str, specs: Iterable[TrialSpec], catalogue: Catalogue, who: str) -> None:
    """Refuse a metric that reads labels of points that have none.

    Raises:
        RequestError: names the data and the metrics that need no labels.
    """
    for dataset, protocol in dict.fromkeys((spec.dataset, spec.protocol) for spec in specs if spec.dataset_digest):
        facts = catalogue.dataset(dataset, protocol)
        if facts.n_labelled and facts.n_classes == 1:
            raise RequestError(
                f"{who}: {dataset} has one class, and {metric} compares classes; label the points by several, or say "
                "labels=none,clusters=K and a metric that reads no labels"
            )
        if facts.n_scored and not facts.n_labelled:
            known = discovery.metrics(catalogue.plugins)
            fit = ", ".join(name for name, one in known.items() if one.ranks)
            raise RequestError(
                f"{who}: {dataset} has no labels, and {metric} reads them; state a metric that does not ({fit}) and "
                "its margin: --set metric=neighbour_mi --set margin=0.05"
            )


def _first_problem(specs: list[TrialSpec], catalogue: Catalogue) -> dict[str, Any]:
    """Return the place of the first configuration that cannot be built, and why; empty: all can."""
    rehearsal = discovery.rehearsal()
    for place, spec in enumerate(specs):
        method = discovery.method(spec.method, catalogue.plugins)
        data = discovery.load_dataset(spec.dataset, spec.protocol, catalogue.plugins)
        says = rehearsal.problem(method, _first_seed(spec), data)
        if says:
            return {"place": place, "says": says}
    return {}


def _measured(spec: TrialSpec, catalogue: Catalogue) -> list[str] | None:
    method = discovery.method(spec.method, catalogue.plugins)
    data = discovery.load_dataset(spec.dataset, spec.protocol, catalogue.plugins)
    names: list[str] | None = discovery.rehearsal().measured(method, _first_seed(spec), data, catalogue.plugins)
    return names


def _first_seed(spec: TrialSpec) -> TrialSpec:
    return replace(spec, seed=0, seed_block=SeedBlock.SEARCH)


def _evenly(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    step = max(1.0, len(found) / MOST)
    return [found[int(place * step)] for place in range(min(MOST, len(found)))]
