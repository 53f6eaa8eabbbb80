"""A study at another tier: other data, network and budget, the same question, levels and test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orchestrator.designs.around import Around
from orchestrator.designs.base import with_base
from orchestrator.designs.search import Search
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.knobs import Value
from orchestrator.study import LOCAL, Study, Tier, key_of

__all__ = ["in_tier"]


def in_tier(study: Study, tier: str) -> Study:
    """Return the study at another tier.

    Raises:
        UnknownNameError: the study has no such tier, or the tier's base names a method that the study does not have.
        RequestError: the tier's base sets a knob that the study varies: that would be another question.
    """
    if tier == study.tier:
        return study
    if tier not in study.tiers:
        raise UnknownNameError(f"tier of study {study.name}", tier, [LOCAL, *study.tiers])
    other = study.tiers[tier]
    for method, base in other.base.items():
        if method not in study.methods:
            raise UnknownNameError(f"method in tier {tier} of study {study.name}", method, study.methods)
        asked = sorted(_asked(study, method) & set(base))
        if asked:
            raise RequestError(
                f"tier {tier} of study {study.name} sets {method}.{asked[0]}, which the study varies; a tier changes "
                "data, network and budget, never the question"
            )
    designs = [_moved(design, other, tier) for design in study.designs]
    return replace(
        study,
        design=designs[0],
        rivals=tuple(designs[1:]),
        datasets=other.datasets,
        n_epochs=other.n_epochs or study.n_epochs,
        seeds=other.seeds or study.seeds,
        protocol=other.protocol or study.protocol,
        tier=tier,
        epoch_seconds=other.epoch_seconds,
    )


def _asked(study: Study, method: str) -> set[str]:
    """Return the knobs of a method that the question is about: varied in a design, or set apart between designs."""
    own = [design for design in study.designs if design.method == method]
    bases = [_base(design) for design in own]
    named = {knob for base in bases for knob in base}
    apart = {knob for knob in named if len({repr(base.get(knob)) for base in bases}) > 1}
    return apart.union(*(design.knobs for design in own))


def _base(design: Any) -> Mapping[str, Value]:
    """Return what a design sets for all of its arms."""
    if isinstance(design, Around):
        return _base(design.then)
    found: Mapping[str, Value] = getattr(design, "base", None) or getattr(design, "values", {})
    return found


def _moved(design: Any, tier: Tier, name: str) -> Any:
    """Return a design at a tier: its base, the budget of its search, the record of the earlier study it starts from."""
    if isinstance(design, Around):
        first = key_of(design.first, name) if isinstance(design.first, str) else _moved(design.first, tier, name)
        return replace(design, first=first, then=_moved(design.then, tier, name))
    base = tier.base.get(design.method, {})
    moved = (with_base(design, base) or design) if base else design
    return replace(moved, n_epochs=tier.search_epochs) if isinstance(moved, Search) else moved
