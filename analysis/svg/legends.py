"""Legends: above all panels in rows, or within a panel where they hide least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from analysis.svg.marks import Floats, Line, Span
from analysis.svg.shapes import line_elements
from analysis.svg.texts import LINE, element, height_of, width_of

__all__ = ["Labelled", "above", "height_above", "within"]

SIZE = 8.0
SAMPLE = 18.0
"""Width of the sample beside a text."""
PAD = 4.0
BETWEEN = 14.0

Labelled = Mapping[str, Line | Span]


def height_above(labelled: Labelled, width: float) -> float:
    """Return what a legend above all panels takes of the height, in points."""
    return len(_rows(labelled, width)) * LINE * SIZE * 1.15 + PAD if labelled else 0.0


def above(labelled: Labelled, width: float, top: float) -> str:
    """Return the elements of a legend above all panels, in the middle of `width`."""
    found = ""
    for place, row in enumerate(_rows(labelled, width)):
        x = 0.5 * (width - sum(map(_wide, row)) - BETWEEN * (len(row) - 1))
        for text in row:
            found += _entry(text, labelled[text], (x, top + (place + 0.5) * LINE * SIZE * 1.15), SIZE)
            x += _wide(text) + BETWEEN
    return found


def _rows(labelled: Labelled, width: float) -> list[list[str]]:
    rows: list[list[str]] = []
    free = 0.0
    for text in labelled:
        if not rows or _wide(text) + BETWEEN > free:
            rows.append([])
            free = width
        rows[-1].append(text)
        free -= _wide(text) + BETWEEN
    return rows


def _wide(text: str, size: float = SIZE) -> float:
    return SAMPLE + PAD + width_of(text, size)


def _entry(text: str, mark: Line | Span, at: tuple[float, float], size: float) -> str:
    """Return a sample and its text; `at`: the left end and the middle of their height."""
    x, y = at
    if isinstance(mark, Span):
        low = y - 0.35 * size
        sample = (
            f'<rect x="{x:.2f}" y="{low:.2f}" width="{SAMPLE:g}" height="{0.7 * size:.2f}" '
            f'fill="{mark.colour}" fill-opacity="{mark.alpha:g}"/>'
        )
    else:
        ends = np.array([x, x + SAMPLE]) if mark.dash else np.empty(0)
        line = Line(x=ends, y=ends, colour=mark.colour, width=mark.width, dash=mark.dash)
        point = Line(x=ends, y=ends, colour=mark.colour, marker=mark.marker, size=mark.size, face=mark.face)
        sample = line_elements(line, ends, np.full(len(ends), y)) if mark.dash else ""
        sample += line_elements(point, np.array([x + 0.5 * SAMPLE]), np.array([y])) if mark.marker else ""
    return sample + element(text, x + SAMPLE + PAD, y, size)


def within(labelled: Labelled, size: float, box: tuple[float, float, float, float], taken: Floats | None) -> str:
    """Return the elements of a legend in a panel.

    Args:
        labelled: what it says.
        size: of its texts.
        box: left, top, width and height of the panel.
        taken: (n, 2) places that it had better not hide; None: it stands in the upper right corner.
    """
    if not labelled:
        return ""
    width = max(_wide(text, size) for text in labelled)
    heights = [height_of(text, size) + 2.0 for text in labelled]
    x, y = _free_place(box, (width, sum(heights)), taken)
    found = f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{sum(heights):.2f}" fill="#fff" opacity=".6"/>'
    for (text, mark), height in zip(labelled.items(), heights, strict=True):
        found += _entry(text, mark, (x, y + 0.5 * height), size)
        y += height
    return found


def _free_place(
    box: tuple[float, float, float, float], size: tuple[float, float], taken: Floats | None
) -> tuple[float, float]:
    """Return the left upper corner, of nine, at which fewest of the taken places are hidden; the right ones first."""
    left, top, wide, high = box
    across = [left + wide - size[0] - PAD, left + PAD, left + 0.5 * (wide - size[0])]
    down = [top + PAD, top + high - size[1] - PAD, top + 0.5 * (high - size[1])]
    corners: Sequence[tuple[float, float]] = list(product(across, down))
    if taken is None:
        return corners[0]
    hidden = []
    for x, y in corners:
        within = (taken[:, 0] > x - PAD) & (taken[:, 0] < x + size[0] + PAD)
        within &= (taken[:, 1] > y - PAD) & (taken[:, 1] < y + size[1] + PAD)
        hidden.append(int(within.sum()))
    return corners[int(np.argmin(hidden))]
