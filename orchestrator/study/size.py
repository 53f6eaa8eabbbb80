"""How many trials a study asks for at most, counted from its fields; one that nobody could plan is refused at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.errors import RequestError

if TYPE_CHECKING:
    from orchestrator.study.study import Study

__all__ = ["MOST_TRIALS", "require_plannable"]

MOST_TRIALS = 200_000
"""Trials of a study that are planned within seconds."""


def require_plannable(study: Study) -> None:
    """Refuse a study of more trials than can be planned; nothing is enumerated for that.

    Raises:
        RequestError: names the part of the study that asks for most of them.
    """
    parts: list[tuple[int, str]] = []
    for design in study.designs:
        search = design.search
        if search is not None:
            parts.append((search.n_configurations * search.n_seeds, f"{search.n_configurations:,} configurations"))
        parts.append((design.most_arms * study.looks[-1], f"{design.most_arms:,} arms on {study.looks[-1]:,} seeds"))
    total = len(study.datasets) * sum(size for size, _ in parts)
    if total > MOST_TRIALS:
        _, what = max(parts)
        raise RequestError(
            f"{study.called}: {total:,} trials are too many to plan ({what}, {len(study.datasets)} datasets); at most "
            f"{MOST_TRIALS:,} in one study"
        )
