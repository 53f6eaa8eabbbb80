"""A study at another tier: other data, network and budget, the same question, levels and test."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.designs.base import Design
from orchestrator.designs.search import Search
from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.study.study import LOCAL, Study, Tier, key_of

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
    moved = study.with_designs([_moved(design, other, tier) for design in study.designs])
    return replace(
        moved,
        datasets=other.datasets,
        protocol=other.protocol or study.protocol,
        n_epochs=other.n_epochs or study.n_epochs,
        seeds=other.seeds or study.seeds,
        tier=tier,
        exploratory=study.exploratory or other.exploratory,
        epoch_seconds=other.epoch_seconds,
    )


def _asked(study: Study, method: str) -> set[str]:
    """Return the knobs of a method that the question is about: varied in a design, or set apart between designs."""
    own = [design for design in study.designs if design.method == method]
    asked: set[str] = set()
    for design in own:
        asked.update(design.knobs)
        for knob, value in design.sets.items():
            if any(repr(other.sets.get(knob)) != repr(value) for other in own):
                asked.add(knob)
    return asked


def _moved(design: Design, tier: Tier, name: str) -> Design:
    """Return a design at a tier: its base, the budget of its search, the record of the earlier study it starts from."""
    base = tier.base.get(design.method, {})
    with_base = (design.with_base(base) or design) if base else design

    def at_budget(search: Search) -> Search:
        return replace(search, n_epochs=tier.search_epochs)

    return with_base.with_search(at_budget).starting_from(lambda study: key_of(study, name))
