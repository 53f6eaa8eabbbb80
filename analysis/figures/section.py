"""A part of a page or notebook: a sentence, a table and figures under one title."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.figures.drawing import Drawing

__all__ = ["Section"]


@dataclass(frozen=True)
class Section:
    """One part of a report."""

    title: str
    sentence: str
    table: str
    """HTML."""
    drawings: tuple[Drawing, ...]
