"""What is shown before anything is spent: the list of studies, and a study's plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator import discovery
from orchestrator.designs.around import Around
from orchestrator.designs.search import Search
from orchestrator.ledger import Ledger
from orchestrator.phases import phases_of
from orchestrator.planning import Catalogue, confirm_trials, planned_arms
from orchestrator.study import Study, load

__all__ = ["plan", "studies"]


def studies(plugins: tuple[str, ...], knob: str) -> list[dict[str, Any]]:
    """Return one mapping a study: name, paper, question, methods, knobs, datasets, trials."""
    catalogue = Catalogue(plugins)
    rows = []
    for name in discovery.names("study", plugins):
        study = load(name, plugins)
        if knob and not any(knob in (full, full.split(".")[-1]) for full in study.knobs):
            continue
        rows.append(
            {
                "name": name,
                "paper": study.paper,
                "question": study.question,
                "methods": list(study.methods),
                "knobs": list(study.knobs),
                "datasets": list(study.datasets),
                "tiers": ["local", *study.tiers],
                "trials": _n_trials(study, catalogue),
            }
        )
    return rows


def _n_trials(study: Study, catalogue: Catalogue) -> int:
    searched = sum(search.n_configurations * search.n_seeds for search in study.searches())
    arms = sum(
        len(design.arms(catalogue.space(design.method), {}))
        for design in study.designs
        if not isinstance(design, Search)
    )
    return len(study.datasets) * (searched + arms * study.looks[-1])


def plan(study: Study, results: Path, plugins: tuple[str, ...], workers: int) -> dict[str, Any]:
    """Return what a study would train: arms with trials and hits, price, what it can detect."""
    catalogue = Catalogue(plugins)
    with Ledger(results) as ledger:
        record = ledger.read_study(study.name)[0] if study.name in ledger.study_names() else {}
        arms = _arms(study, catalogue, record, ledger)
        searches, _ = phases_of(study, catalogue)
        hits = sum(arm["hits"] for arm in arms)
    total = sum(phase.n_trials for phase in searches) + sum(arm["trials"] for arm in arms)
    return {
        "study": study.name,
        "question": study.question,
        "arms": arms,
        "trials": total,
        "hits": hits,
        "sentences": [
            f"{total} trials, {hits} of them in the ledger"
            + (f"; {sum(p.n_trials for p in searches)} belong to the search, asked in rounds." if searches else ".")
        ],
    }


def _arms(study: Study, catalogue: Catalogue, record: Mapping[str, Any], ledger: Ledger) -> list[dict[str, Any]]:
    rows = []
    for dataset in study.datasets:
        for index, design in enumerate(study.designs):
            if isinstance(design, Search):
                continue
            base = _chosen(record, design, dataset)
            found = planned_arms(study, index, design, dataset, base, catalogue)
            for arm in found:
                trials = list(confirm_trials(study, [arm], range(study.looks[-1]), catalogue))
                hits = ledger.complete([trial.spec.trial_id for trial in trials])
                sets = ", ".join(f"{name}={value}" for name, value in arm.arm.values.items())
                rows.append({"name": arm.name, "sets": sets, "trials": len(trials), "hits": len(hits)})
    return rows


def _chosen(record: Mapping[str, Any], design: object, dataset: str) -> Mapping[str, Any]:
    if not isinstance(design, Around):
        return {}
    for search in record.get("searches", []):
        if search["dataset"] == dataset and search["method"] == design.method and search["chosen"]:
            chosen: Mapping[str, Any] = search["chosen"]
            return chosen
    return {}
