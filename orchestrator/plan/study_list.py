"""The studies there are, and what each asks for; one that starts from another comes after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestrator import discovery
from orchestrator.errors import OrchestratorError
from orchestrator.plan import kept_facts

if TYPE_CHECKING:
    from orchestrator.plan.catalogue import Catalogue
    from orchestrator.study import Study

__all__ = ["studies_of_tier", "study_list"]


def study_list(plugins: tuple[str, ...], knob: str = "") -> list[dict[str, Any]]:
    """Return one mapping for each study: name, paper, question, methods, knobs, datasets, trials.

    Args:
        plugins: folders with a user's own files.
        knob: only studies over this knob (METHOD.KNOB or KNOB); empty: all.
    """
    names = discovery.names("study", plugins)
    project = "" if plugins or discovery.has_entry_points() else kept_facts.project_key()
    rows = kept_facts.kept(["studies", project, names], lambda: _rows(names, plugins))
    return [row for row in rows if not knob or knob in _names_of_knobs(row)]


def _names_of_knobs(row: Mapping[str, Any]) -> set[str]:
    """Return METHOD.KNOB and KNOB of each knob of a study."""
    return {*row["knobs"], *(full.split(".")[-1] for full in row["knobs"])}


def _rows(names: Sequence[str], plugins: tuple[str, ...]) -> list[dict[str, Any]]:
    from orchestrator.plan.catalogue import Catalogue  # a list that is kept needs none of this
    from orchestrator.study import LOCAL, load

    catalogue = Catalogue(plugins)
    rows = []
    for name in names:
        study = load(name, plugins)
        rows.append(
            {
                "name": name,
                "paper": study.paper,
                "question": study.question,
                "methods": list(study.methods),
                "knobs": list(study.knobs),
                "datasets": list(study.datasets),
                "tiers": [LOCAL, *study.tiers],
                "trials": _n_trials(study, catalogue),
            }
        )
    return rows


def studies_of_tier(tier: str, plugins: tuple[str, ...]) -> list[Study]:
    """Return every study that has the tier, by name; one that starts from another comes after it.

    Raises:
        OrchestratorError: a study file that cannot be loaded, or none has the tier.
    """
    from orchestrator.study import LOCAL, check, load
    from orchestrator.study.tiers import in_tier

    waiting: list[Study] = []
    for name in discovery.names("study", plugins):
        study = load(name, plugins)
        if tier in (LOCAL, *study.tiers):
            waiting.append(in_tier(study, tier))
    if not waiting:
        raise OrchestratorError(f"no study has a tier {tier!r}")
    for study in waiting:
        check(study)
    found: list[Study] = []
    while waiting:
        left = {study.key for study in waiting}
        ready = [study for study in waiting if not _starts_from(study) & left - {study.key}]
        found += ready or waiting  # a circle: whoever comes first says what it misses
        waiting = [study for study in waiting if study not in found]
    return found


def _starts_from(study: Study) -> set[str]:
    from orchestrator.study import key_of

    return {key_of(design.starts_from) for design in study.designs if design.starts_from}


def _n_trials(study: Study, catalogue: Catalogue) -> int:
    searched = sum(search.n_configurations * search.n_seeds for search in study.searches())
    arms = sum(len(design.arms(catalogue.space(design.method), {})) for design in study.designs)
    return len(study.datasets) * (searched + arms * study.looks[-1])
