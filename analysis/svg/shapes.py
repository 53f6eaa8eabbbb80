"""Paths of an SVG: lines, areas and markers, from places in points."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from analysis.svg.marks import Floats, Line

__all__ = ["area", "dashes", "joined", "line_elements", "short"]

EDGE = 1.0
"""Width of what a marker is drawn with, in points."""
INNER = 0.381966
"""Of a star with five points: inner radius by outer radius."""


def short(value: float) -> str:
    """Return a number to a hundredth, without zeros at its end."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def joined(x: Floats, y: Floats) -> str:
    """Return the path through points; it is broken where one has no place."""
    found, command = [], "M"
    for across, down in zip(x.tolist(), y.tolist(), strict=True):
        if math.isfinite(across) and math.isfinite(down):
            found.append(f"{command}{short(across)} {short(down)}")
            command = "L"
        else:
            command = "M"
    return "".join(found)


def area(x: Floats, low: Floats, high: Floats) -> str:
    """Return the outline between two curves, over the x where both have a place: one part a run of such."""
    known, found = np.isfinite(x) & np.isfinite(low) & np.isfinite(high), ""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]])))
    for first, last in ends.reshape(-1, 2):
        own = slice(first, last)
        found += joined(np.concatenate([x[own], x[own][::-1]]), np.concatenate([low[own], high[own][::-1]])) + "z"
    return found


def dashes(dash: str, width: float) -> str:
    """Return the attribute of a dashed line, in lengths of its width."""
    pattern = {"--": (3.7, 1.6), ":": (1.0, 1.65)}.get(dash)
    return f' stroke-dasharray="{short(pattern[0] * width)} {short(pattern[1] * width)}"' if pattern else ""


def line_elements(mark: Line, x: Floats, y: Floats) -> str:
    """Return the elements of a line and its markers.

    Args:
        mark: the line.
        x: places of its points, in points of the figure.
        y: the same, downwards.
    """
    faint, found = f' opacity="{mark.alpha:g}"' if mark.alpha < 1 else "", ""
    if mark.dash:
        path = joined(np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]) if mark.steps else joined(x, y)
        cap = "butt" if mark.butt or mark.dash != "-" else "square"
        found += (
            f'<path d="{path}" fill="none" stroke="{mark.colour}" stroke-width="{mark.width:g}" '
            f'stroke-linejoin="round" stroke-linecap="{cap}"{dashes(mark.dash, mark.width)}{faint}/>'
        )
    return found + _markers(mark, x, y, faint) if mark.marker else found


def _markers(mark: Line, x: Floats, y: Floats, faint: str) -> str:
    """Return one element for all markers of a line."""
    known = np.isfinite(x) & np.isfinite(y)
    form = "h0" if mark.marker == "." else FORMS[mark.marker](0.5 * mark.size)
    path = "".join(
        f"M{short(across)} {short(down)}{form}"
        for across, down in zip(x[known].tolist(), y[known].tolist(), strict=True)
    )
    if mark.marker == ".":
        width = short(0.5 * mark.size + EDGE)
        return f'<path d="{path}" stroke="{mark.colour}" stroke-width="{width}" stroke-linecap="round"{faint}/>'
    return f'<path d="{path}" fill="{mark.face or mark.colour}" stroke="{mark.colour}" stroke-width="1"{faint}/>'


def _circle(half: float) -> str:
    r = short(half)
    return f"m-{r} 0a{r} {r} 0 1 0 {short(2 * half)} 0a{r} {r} 0 1 0 -{short(2 * half)} 0z"


def _square(half: float) -> str:
    h, whole = short(half), short(2 * half)
    return f"m-{h} -{h}h{whole}v{whole}h-{whole}z"


def _diamond(half: float) -> str:
    d = short(half * math.sqrt(2))
    return f"m0 -{d}l{d} {d}l-{d} {d}l-{d} -{d}z"


def _cross(half: float) -> str:
    h, whole = short(half), short(2 * half)
    return f"m-{h} -{h}l{whole} {whole}m-{whole} 0l{whole} -{whole}"


def _bar(half: float) -> str:
    return f"m0 -{short(half)}v{short(2 * half)}"


def _triangle(half: float) -> str:
    h, whole = short(half), short(2 * half)
    return f"m-{h} -{h}l{whole} {h}l-{whole} {h}z"


def _star(half: float) -> str:
    corners = []
    for place in range(10):
        radius, angle = half * (INNER if place % 2 else 1.0), math.pi * place / 5
        corners.append((radius * math.sin(angle), -radius * math.cos(angle)))
    found = f"m{short(corners[0][0])} {short(corners[0][1])}"
    for before, here in pairwise(corners):
        found += f"l{short(here[0] - before[0])} {short(here[1] - before[1])}"
    return found + "z"


FORMS: dict[str, Callable[[float], str]] = {
    "o": _circle,
    "s": _square,
    "D": _diamond,
    "x": _cross,
    "|": _bar,
    ">": _triangle,
    "*": _star,
}
