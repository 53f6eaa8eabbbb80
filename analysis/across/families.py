"""Which studies belong together: those of one paper, and those that go across papers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["ACROSS", "FAMILIES", "Family", "by_family", "family_of"]

T = TypeVar("T")


@dataclass(frozen=True)
class Family:
    """Studies of one paper; also the name of the notebook that shows them."""

    name: str
    title: str
    paper: str
    """arXiv number."""


ACROSS = Family("across", "Across the papers", "")
FAMILIES = (
    Family("hard_regularization", "Hard regularisation", "2303.16521"),
    Family("pipcdr", "PIPCDR", "2311.00731"),
    Family("entropy", "Entropy clustering", "2301.11405"),
    Family("secu", "SeCu", "2311.14310"),
    ACROSS,
)


def family_of(record: Mapping[str, Any]) -> Family:
    """Return the family of a study's record: that of its one paper; several papers, or none, go across."""
    named = str(record.get("paper") or "")
    found = [family for family in FAMILIES if family.paper and family.paper in named]
    return found[0] if len(found) == 1 else ACROSS


def by_family(records: Iterable[tuple[Mapping[str, Any], T]]) -> dict[Family, list[T]]:
    """Return what comes with each record by family, families and their studies in order; empty ones are left out."""
    grouped: dict[Family, list[T]] = {family: [] for family in FAMILIES}
    for record, what in records:
        grouped[family_of(record)].append(what)
    return {family: found for family, found in grouped.items() if found}
