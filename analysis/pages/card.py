"""The first screen of a study as a notebook shows it: question, answer, the picture of effects."""

from __future__ import annotations

from analysis.pages import rendering
from analysis.pages.parts import Parts
from analysis.verdicts.verdicts import heading

__all__ = ["card"]


def card(parts: Parts) -> str:
    """Return the HTML of a study's answer, with its look; every text of the ledger is only text in it."""
    return rendering.card(
        "card.html",
        question=str(parts.study.record["question"]),
        short=parts.short_answer,
        forest=parts.forest,
        heading=heading(parts.study),
        failed=[one.sentence for one in parts.footings if not one.works],
    )
