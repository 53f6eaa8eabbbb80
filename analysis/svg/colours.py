"""The scale of colours of maps, as SVG has it: cividis at equal steps, straight between them."""

from __future__ import annotations

__all__ = ["CIVIDIS", "colour_at"]

CIVIDIS = (
    "#00224e", "#002e6a", "#1a386f", "#32436d", "#434e6c", "#535a6d", "#61656f", "#6f7073", "#7d7c78", "#8c8878",
    "#9b9476", "#aba072", "#bcae6c", "#cdbb63", "#dec958", "#f0d846", "#fee838",
)  # fmt: skip
"""Told apart, and in order, with every common colour blindness and in grey (Nunez, Anderton and Renslow 2018)."""


def colour_at(share: float) -> str:
    """Return the colour at a share of the scale, from 0 to 1."""
    place = share * (len(CIVIDIS) - 1)
    first = min(int(place), len(CIVIDIS) - 2)
    found = "#"
    for channel in (1, 3, 5):
        low, high = (int(CIVIDIS[one][channel : channel + 2], 16) for one in (first, first + 1))
        found += f"{round(low + (place - first) * (high - low)):02x}"
    return found
